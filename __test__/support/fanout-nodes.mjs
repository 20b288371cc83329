// Scripted nodes that answer one command for several nodes, and how often they were asked.

import { resp } from './resp-text.mjs';

/** How often each node got the command. */
export const counts = (cluster, name) => cluster.nodes.map((node) => node.commands(name).length);

/**
 * Nodes that answer `ECHO`, and one command as `answer` says.
 *
 * @param {string} asked
 * @param {(node: number, args: string[], context: import('./scripted-cluster.mjs').Context) => any} answer
 * @returns {import('./scripted-cluster.mjs').ClusterScript}
 */
export const answering = (asked, answer) => (args, context) => {
  if (args[0] === 'ECHO') return resp.bulk(args[1]);
  return args[0].toUpperCase() === asked ? answer(context.node, args, context) : undefined;
};
