// The commands that no body calls, each with the reason. Together with the bodies they account for
// every command of `@redis/client`; `coverage.test.mjs` checks that.

const FAN_OUT = 'asks several nodes, and is compared by a test of its own or refused';
const CHANGES_CLUSTER = 'changes the layout of the cluster under the other bodies';
const BACKGROUND = 'starts a child process; what it answers depends on whether one still runs';

/** Those that node-redis's own policy table sends to several nodes, or to one after the other. */
export const FAN_OUT_COMMANDS = [
  'blessScan',
  'hImportDiscard',
  'hImportDiscardAll',
  'hImportPrepare',
  'scan',
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
