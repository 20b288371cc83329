/**
 * Commands and the exact types of their replies, by protocol and type mapping. Compiled twice: as
 * it stands, and with its first import taken from `redis`.
 */
import {
  createCluster,
  GEO_REPLY_WITH,
  REDIS_FLUSH_MODES,
  RESP_TYPES,
  SCHEMA_FIELD_TYPE,
  TIME_SERIES_AGGREGATION_TYPE,
  VerbatimString,
  type RediSearchSchema,
  type RedisClusterType,
  type SetOptions,
  type TypeMapping,
} from 'redis-cluster-native';
import { exactly } from './assert-types.js';

export async function strings(cluster: RedisClusterType): Promise<void> {
  const set: SetOptions = { expiration: { type: 'EX', value: 1 }, condition: 'NX' };
  exactly<string | null>()(await cluster.get('key'));
  exactly<string | null>()(await cluster.GET(Buffer.from('key')));
  exactly<string | null>()(await cluster.set('key', 'value', set));
  exactly<string | null>()(await cluster.getDel('key'));
  exactly<string | null>()(await cluster.getRange('key', 0, 1));
  exactly<number>()(await cluster.incr('key'));
  exactly<number>()(await cluster.incrBy('key', 2));
  exactly<string>()(await cluster.incrByFloat('key', 0.5));
  exactly<number>()(await cluster.append('key', 'more'));
  exactly<number>()(await cluster.strLen('key'));
  exactly<(string | null)[]>()(await cluster.mGet(['{a}1', '{a}2']));
  exactly<'OK'>()(await cluster.mSet({ '{a}1': 'x', '{a}2': 'y' }));
  exactly<number>()(await cluster.del(['{a}1', '{a}2']));
  exactly<number>()(await cluster.exists('key'));
  exactly<number>()(await cluster.expire('key', 10, 'NX'));
  exactly<string>()(await cluster.type('key'));
  exactly<0 | 1>()(await cluster.setBit('key', 7, 1));
}

export async function collections(cluster: RedisClusterType): Promise<void> {
  exactly<{ [field: string]: string }>()(await cluster.hGetAll('hash'));
  exactly<string | null>()(await cluster.hGet('hash', 'field'));
  exactly<number>()(await cluster.hSet('hash', { field: 1, other: Buffer.from('x') }));
  exactly<(string | null)[]>()(await cluster.hmGet('hash', ['a', 'b']));
  exactly<string[]>()(await cluster.lRange('list', 0, -1));
  exactly<number>()(await cluster.rPush('list', ['a', 'b']));
  exactly<string | null>()(await cluster.lPop('list'));
  exactly<{ key: string; element: string } | null>()(await cluster.blPop('list', 1));
  exactly<string[]>()(await cluster.sMembers('set'));
  exactly<number>()(await cluster.sIsMember('set', 'a'));
  exactly<number>()(await cluster.zAdd('sorted', [{ score: 1, value: 'a' }]));
  exactly<number | null>()(await cluster.zScore('sorted', 'a'));
  exactly<{ value: string; score: number }[]>()(
    await cluster.zRangeWithScores('sorted', 0, -1, { REV: true }),
  );
  exactly<string>()(await cluster.xAdd('stream', '*', { field: 'value' }));
  exactly<number>()(await cluster.xLen('stream'));
  exactly<number>()(await cluster.pfAdd('log', 'a'));
  exactly<{ cursor: string; entries: { field: string; value: string }[] }>()(
    await cluster.hScan('hash', '0'),
  );
  const [place] = await cluster.geoSearchWith(
    'geo',
    'member',
    { radius: 1, unit: 'km' },
    [GEO_REPLY_WITH.DISTANCE, GEO_REPLY_WITH.COORDINATES],
  );
  exactly<string | undefined>()(place?.member);
}

export async function server(cluster: RedisClusterType): Promise<void> {
  exactly<string>()(await cluster.ping());
  exactly<number>()(await cluster.dbSize());
  exactly<number>()(await cluster.clusterKeySlot('key'));
  exactly<string>()(await cluster.clusterInfo());
  exactly<string>()(await cluster.configSet('maxmemory', '1gb'));
  await cluster.flushAll(REDIS_FLUSH_MODES.ASYNC);
  exactly<unknown>()(await cluster.sendCommand<unknown>('key', true, ['GET', 'key']));
  exactly<string>()(
    await cluster.sendCommand<string>(undefined, false, ['PING'], { timeout: 10 }),
  );
}

export async function bundledModules(cluster: RedisClusterType): Promise<void> {
  exactly<'OK'>()(await cluster.bf.reserve('filter', 0.01, 100));
  exactly<boolean>()(await cluster.bf.add('filter', 'item'));
  exactly<boolean[]>()(await cluster.bf.mExists('filter', ['a']));
  exactly<'OK'>()(await cluster.json.merge('doc', '$', { a: 1 }));
  exactly<number>()(await cluster.json.del('doc'));
  exactly<'OK'>()(await cluster.ts.create('series'));
  await cluster.ts.createRule('series', 'daily', TIME_SERIES_AGGREGATION_TYPE.AVG, 1000);
  exactly<string[]>()(await cluster.topK.list('top'));
  const schema: RediSearchSchema = { name: { type: SCHEMA_FIELD_TYPE.TEXT, SORTABLE: true } };
  await cluster.ft.create('index', schema);
  const found = await cluster.ft.search('index', '*', { LIMIT: { from: 0, size: 1 } });
  exactly<number>()(found.total);
}

export async function typeMappings(cluster: RedisClusterType): Promise<void> {
  const buffers = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  exactly<Buffer | null>()(await buffers.get('key'));
  exactly<{ [field: string]: Buffer }>()(await buffers.hGetAll('hash'));
  exactly<Buffer[]>()(await buffers.lRange('list', 0, -1));

  const maps = cluster.withTypeMapping({
    [RESP_TYPES.MAP]: Map,
    [RESP_TYPES.SET]: Set,
    [RESP_TYPES.NUMBER]: String,
    [RESP_TYPES.DOUBLE]: String,
  });
  exactly<Map<string, string>>()(await maps.hGetAll('hash'));
  exactly<Set<string>>()(await maps.sMembers('set'));
  exactly<`${number}`>()(await maps.incr('key'));
  exactly<`${number}` | null>()(await maps.zScore('sorted', 'a'));

  const flat = cluster.withTypeMapping({ [RESP_TYPES.MAP]: Array });
  exactly<string[]>()(await flat.hGetAll('hash'));
  const verbatim: TypeMapping = { [RESP_TYPES.VERBATIM_STRING]: VerbatimString };
  await cluster.withTypeMapping(verbatim).clusterInfo();

  const abortSignal = AbortSignal.timeout(1000);
  const optioned = cluster.withCommandOptions({ timeout: 100, abortSignal });
  const reply: string | Buffer | null = await optioned.get('key');
  exactly<number>()(await cluster.duplicate({ useReplicas: true }).incr(String(reply)));

  const mapped = createCluster({
    rootNodes: [],
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  exactly<Buffer | null>()(await mapped.get('key'));
}

export async function protocolTwo(): Promise<void> {
  const old = createCluster({ rootNodes: [{ url: 'redis://127.0.0.1' }], RESP: 2 });
  exactly<string[]>()(await old.sMembers('set'));
  exactly<{ [field: string]: string }>()(await old.hGetAll('hash'));
  exactly<number | null>()(await old.zScore('sorted', 'a'));
  const passed: RedisClusterType<{}, {}, {}, 2> = old;
  exactly<boolean>()(await passed.bf.add('filter', 'item'));
}
