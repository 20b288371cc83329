// Scripted nodes that answer commands of many keys, and what they were sent.

import { createRequire } from 'node:module';
import { userCommands } from './engine-client.mjs';
import { resp } from './resp-text.mjs';

const require = createRequire(import.meta.url);
/** @type {(key: string | Buffer) => number} */
export const slotOf = require('@redis/client/dist/lib/utils/calculate-slot').default;

const SPLIT = new Set(['MGET', 'MSET', 'DEL', 'UNLINK', 'EXISTS', 'TOUCH']);

/** The keys of a command that may come in parts. */
export function keysOf([name, ...args]) {
  return name.toUpperCase() === 'MSET' ? args.filter((_, at) => at % 2 === 0) : args;
}

/** What node `node` answers: each value names the node and the key. */
export function answerOf(args, node) {
  const [name, key] = args;
  switch (name.toUpperCase()) {
    case 'GET':
      return resp.bulk(`${node}:${key}`);
    case 'MGET':
      return resp.array(keysOf(args).map((one) => resp.bulk(`${node}:${one}`)));
    case 'MSET':
    case 'SET':
      return resp.simple('OK');
    case 'ECHO':
      return resp.bulk(key);
    default:
      return SPLIT.has(name.toUpperCase()) ? resp.number(args.length - 1) : undefined;
  }
}

/**
 * Nodes that answer, except where `instead` has something else to say.
 *
 * @param {(args: string[], context: import('./scripted-cluster.mjs').Context) => any} [instead]
 * @returns {import('./scripted-cluster.mjs').ClusterScript}
 */
export function splitNodes(instead = () => undefined) {
  return (args, context) => instead(args, context) ?? answerOf(args, context.node);
}

/** What the nodes were sent in parts, in the order of each node. */
export function partsAt(...nodes) {
  return nodes.flatMap(userCommands).filter(([name]) => SPLIT.has(name.toUpperCase()));
}
