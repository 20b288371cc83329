// Geographical indexes.

import { GEO_REPLY_WITH } from '@redis/client';
import { body } from './body.mjs';

const PALERMO = { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' };
const CATANIA = { longitude: 15.087269, latitude: 37.502669, member: 'Catania' };
const CENTRE = { longitude: 15, latitude: 37 };
const ALL = Object.values(GEO_REPLY_WITH);

export const geo = [
  body('places', async ({ c, key }) => {
    await c.geoAdd(key('g'), PALERMO);
    await c.geoAdd(key('g'), [CATANIA, PALERMO], { CH: true });
    await c.geoAdd(key('g'), PALERMO, { condition: 'NX' });
    await c.geoDist(key('g'), 'Palermo', 'Catania');
    await c.geoDist(key('g'), 'Palermo', 'Catania', 'km');
    await c.geoDist(key('g'), 'Palermo', 'missing');
    await c.geoHash(key('g'), ['Palermo', 'missing']);
    await c.geoHash(key('g'), 'Catania');
    await c.geoPos(key('g'), ['Palermo', 'missing']);
    await c.geoPos(key('g'), 'Catania');
    await c.geoPos(key('missing'), 'x');
    await c.geoAdd(key('g'), { longitude: 500, latitude: 500, member: 'nowhere' });
  }),

  body('searches', async ({ c, key }) => {
    await c.geoAdd(key('g'), [PALERMO, CATANIA]);
    const radius = { radius: 200, unit: 'km' };
    await c.geoSearch(key('g'), CENTRE, radius);
    await c.geoSearch(
      key('g'),
      'Palermo',
      { width: 400, height: 400, unit: 'km' },
      { SORT: 'DESC', COUNT: 1 },
    );
    await c.geoSearchWith(key('g'), CENTRE, radius, ALL, { SORT: 'ASC' });
    await c.geoSearchWith(key('g'), CENTRE, radius, [GEO_REPLY_WITH.DISTANCE]);
    await c.geoSearchWith(key('g'), CENTRE, radius, []);
    await c.geoSearchStore(key('near'), key('g'), CENTRE, radius);
    await c.geoSearchStore(key('near'), key('g'), CENTRE, radius, { STOREDIST: true });
    await c.zRangeWithScores(key('near'), 0, -1);
    await c.geoSearch(key('missing'), CENTRE, radius);
    await c.geoSearch(key('g'), 'missing', radius);
  }),

  body('searches by radius', async ({ c, key }) => {
    await c.geoAdd(key('g'), [PALERMO, CATANIA]);
    await c.geoRadius(key('g'), CENTRE, 200, 'km');
    await c.geoRadiusRo(key('g'), CENTRE, 200, 'km', { SORT: 'ASC' });
    await c.geoRadiusWith(key('g'), CENTRE, 200, 'km', ALL);
    await c.geoRadiusRoWith(key('g'), CENTRE, 200, 'km', [
      GEO_REPLY_WITH.HASH,
      GEO_REPLY_WITH.COORDINATES,
    ]);
    await c.geoRadiusStore(key('g'), CENTRE, 200, 'km', key('dest'));
    await c.geoRadiusStore(key('g'), CENTRE, 200, 'km', key('dest'), { STOREDIST: true });
    await c.geoRadiusByMember(key('g'), 'Palermo', 200, 'km');
    await c.geoRadiusByMemberRo(key('g'), 'Palermo', 200, 'km', { COUNT: { value: 1, ANY: true } });
    await c.geoRadiusByMemberWith(key('g'), 'Palermo', 200, 'km', ALL);
    await c.geoRadiusByMemberRoWith(key('g'), 'Palermo', 200, 'km', [GEO_REPLY_WITH.DISTANCE]);
    await c.geoRadiusByMemberStore(key('g'), 'Palermo', 200, 'km', key('dest'));
  }),
];
