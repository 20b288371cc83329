// Server introspection. A keyless command goes to any node, so values that differ between nodes
// are compared by their shape.

import { body } from './body.mjs';

export const server = [
  body('access lists', async ({ c, shape, outline, unordered }) => {
    await outline.aclCat();
    await unordered.aclCat('geo');
    await c.aclCat('nonsense');
    await c.aclDryRun('default', ['GET', 'x']);
    await c.aclDryRun('nobody', ['GET', 'x']);
    await shape.aclGenPass();
    await shape.aclGenPass(128);
    await unordered.aclGetUser('default');
    await c.aclGetUser('nobody');
    await c.aclList();
    await c.aclUsers();
    await c.aclWhoAmI();
    await c.aclLoad();
    await outline.aclLog();
    await outline.aclLog(1);
    await c.aclLogReset();
  }),

  body('command table', async ({ c, outline, unordered, key }) => {
    await c.commandCount();
    await outline.command();
    await unordered.commandInfo(['get', 'nonsense']);
    await outline.commandList();
    await c.commandList({ FILTERBY: { type: 'PATTERN', value: 'xadd' } });
    await unordered.commandList({ FILTERBY: { type: 'ACLCAT', value: 'geo' } });
    await c.commandGetKeys(['MSET', key('a'), '1', key('b'), '2']);
    await c.commandGetKeys(['PING']);
    await c.commandGetKeysAndFlags(['SET', key('a'), '1']);
    await unordered.commandDocs('get');
    await c.commandDocs(['nonsense']);
  }),

  body('configuration', async ({ c, outline, unordered }) => {
    await c.configGet('maxmemory-policy');
    await unordered.configGet(['maxmemory-policy', 'hz']);
    await c.configGet('nonsense*');
    await outline.configGet('*max-*');
  }),

  body('clock and state', async ({ c, shape, outline }) => {
    await shape.time();
    await shape.info();
    await shape.info('server');
    await c.info('nonsense');
    await shape.lastSave();
    await shape.role();
    await c.echo('text');
    await c.echo(Buffer.from([0, 13, 10, 255]));
    await shape.LOLWUT();
    await shape.LOLWUT(5, 20, 1, 1);
    await shape.memoryDoctor();
    await outline.memoryStats();
    await shape.memoryMallocStats();
    await outline.latencyLatest();
    await c.latencyHistory('nonsense');
    await c.latencyGraph('nonsense');
    await shape.latencyDoctor();
    await outline.latencyHistogram();
    await c.latencyHistogram('nonsense');
    await c.moduleList();
    await c.moduleLoad('/nonexistent/module.so');
    await c.moduleUnload('nonsense');
  }),

  body('refused in cluster mode', async ({ c }) => {
    await c.swapDb(0, 1);
    await c.replicaOf('127.0.0.1', 1);
    await c.scriptDebug('NO');
  }),

  body('publish and its introspection', async ({ c, key }) => {
    await c.publish('channel', 'message');
    await c.sPublish(key('channel'), 'message');
    await c.pubSubChannels();
    await c.pubSubChannels('x*');
    await c.pubSubNumPat();
    await c.pubSubNumSub('channel');
    await c.pubSubNumSub(['a', 'b']);
    await c.pubSubNumSub();
    await c.pubSubShardChannels();
    await c.pubSubShardChannels('x*');
    await c.pubSubShardNumSub(['a']);
    await c.pubSubShardNumSub();
  }),
];
