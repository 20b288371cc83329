// What servers say when they could not run a command, and nodes that say it.

import { userCommands } from './engine-client.mjs';
import { resp } from './resp-text.mjs';

export const TRYAGAIN = 'TRYAGAIN Multiple keys request during rehashing of slot';
export const LOADING = 'LOADING Redis is loading the dataset in memory';
export const MASTERDOWN =
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
export const READONLY = "READONLY You can't write against a read only replica.";
/** Commands that are answered so are tried again. */
export const REFUSALS = [
  TRYAGAIN,
  'CLUSTERDOWN Hash slot not served',
  'CLUSTERDOWN The cluster is down',
  LOADING,
  MASTERDOWN,
  READONLY,
];

const NAMES = new Set(['GET', 'SET', 'EVAL', 'FCALL', 'TIME']);

/**
 * Nodes that answer everything but what `refuse` has a reason for.
 *
 * @param {(key: string, context: import('./scripted-cluster.mjs').Context) => string | undefined} refuse
 * @returns {import('./scripted-cluster.mjs').ClusterScript}
 */
export function refusing(refuse) {
  return ([name, key], context) => {
    if (name === 'ECHO') return resp.bulk(key);
    if (!NAMES.has(name)) return undefined;
    const reason = refuse(key, context);
    if (reason !== undefined) return resp.error(reason);
    const isRead = name === 'GET' || name === 'TIME';
    return isRead ? resp.bulk(`node ${context.node}`) : resp.simple('OK');
  };
}

/** Keys of what a node was sent to do, in the order of arrival. */
export const keysOf = (node) => userCommands(node).map(([, key]) => key);
