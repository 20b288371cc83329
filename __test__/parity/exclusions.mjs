// The commands that no body calls, each with the reason. Together with the bodies they account for
// every command of `@redis/client`; `coverage.test.mjs` checks that.

const FAN_OUT = 'asks several nodes and combines their replies';
const CHANGES_CLUSTER = 'changes the layout of the cluster under the other bodies';
const BACKGROUND = 'starts a child process; what it answers depends on whether one still runs';

/** Sent to several nodes by node-redis's own policy table. */
export const FAN_OUT_COMMANDS = [
  'aclDelUser',
  'aclSave',
  'aclSetUser',
  'blessScan',
  'clientSetName',
  'configResetStat',
  'configRewrite',
  'configSet',
  'dbSize',
  'flushAll',
  'flushDb',
  'functionDelete',
  'functionFlush',
  'functionKill',
  'functionLoad',
  'functionRestore',
  'hImportDiscard',
  'hImportDiscardAll',
  'hImportPrepare',
  'keys',
  'latencyReset',
  'memoryPurge',
  'ping',
  'randomKey',
  'scan',
  'scriptExists',
  'scriptFlush',
  'scriptKill',
  'scriptLoad',
  'wait',
];

/** @type {Record<string, string>} camelCase command -> reason */
export const EXCLUDED = {
  ...Object.fromEntries(FAN_OUT_COMMANDS.map((name) => [name, FAN_OUT])),
  hImportSet: 'works only after a HIMPORT PREPARE, which asks several nodes',
  asking: 'changes what the next command on a shared connection means',
  bgRewriteAof: BACKGROUND,
  bgSave: BACKGROUND,
  clusterBumpEpoch: CHANGES_CLUSTER,
  clusterFlushSlots: CHANGES_CLUSTER,
};
