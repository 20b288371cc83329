// CLUSTER and CLIENT commands that leave the cluster as it is; the dangerous ones with arguments
// that every server refuses.

import { CLIENT_KILL_FILTERS } from '@redis/client';
import { body } from './body.mjs';

const UNKNOWN_NODE = 'f'.repeat(40);

export const clusterState = [
  body('cluster introspection', async ({ c, shape, outline, key }) => {
    await shape.clusterInfo();
    await outline.clusterNodes();
    await outline.clusterSlots();
    await shape.clusterMyId();
    await shape.clusterMyShardId();
    await outline.clusterLinks();
    await c.clusterKeySlot(key('a'));
    await c.clusterKeySlot('123456789');
    await c.clusterCountKeysInSlot(1);
    await c.clusterCountKeysInSlot(99999);
    await c.clusterGetKeysInSlot(1, 10);
    await c.clusterCountFailureReports(UNKNOWN_NODE);
    await c.clusterReplicas(UNKNOWN_NODE);
    await c.clusterSaveConfig();
  }),

  body('refused cluster changes', async ({ c }) => {
    await c.clusterAddSlots(99999);
    await c.clusterAddSlotsRange({ start: 99999, end: 99999 });
    await c.clusterDelSlots([99999]);
    await c.clusterDelSlotsRange([{ start: 99999, end: 99999 }]);
    await c.clusterForget(UNKNOWN_NODE);
    await c.clusterMeet('not an address', 0);
    await c.clusterReplicate(UNKNOWN_NODE);
    await c.clusterFailover();
    await c.clusterSetConfigEpoch(-1);
    await c.clusterSetSlot(99999, 'STABLE');
    await c.clusterSetSlot(1, 'NODE', UNKNOWN_NODE);
    await c.clusterReset({ mode: 'NONSENSE' });
  }),

  body('client introspection', async ({ c, shape, outline }) => {
    await shape.clientId();
    await shape.clientInfo();
    await outline.clientList();
    await outline.clientList({ TYPE: 'NORMAL' });
    await c.clientList({ ID: ['1000000000'] });
    await c.clientGetName();
    await c.clientGetRedir();
    await c.clientTrackingInfo();
    await c.clientTracking(false);
    await c.clientCaching(true);
    await c.clientNoEvict(false);
    await c.clientNoTouch(false);
    await c.clientUnblock(1000000000);
    await c.clientUnblock('1000000000', 'ERROR');
    await c.clientPause(1, 'WRITE');
    await c.clientUnpause();
    await c.clientKill({ filter: CLIENT_KILL_FILTERS.ID, id: 1000000000 });
    await c.clientKill([{ filter: CLIENT_KILL_FILTERS.TYPE, type: 'pubsub' }]);
    await c.clientKill({ filter: CLIENT_KILL_FILTERS.ADDRESS, address: '127.0.0.1:1' });
  }),

  body('connection commands', async ({ c, shape }) => {
    await c.auth({ password: 'wrong' });
    await c.auth({ username: 'nobody', password: 'wrong' });
    await shape.hello();
    await c.hello(99);
    await c.readonly();
  }),
];
