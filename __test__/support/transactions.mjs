// Nodes that know MULTI: they queue, discard and run as servers do, and a test says what they refuse.

import { resp } from './resp-text.mjs';

const QUEUED = resp.simple('QUEUED');
const OK = resp.simple('OK');
const ABORTED = 'EXECABORT Transaction discarded because of previous errors.';
const NAMES = new Set(['MULTI', 'EXEC', 'ASKING', 'GET', 'SET', 'INCR', 'ECHO', 'NOPE']);

/** In place of an answer: what is written, one after the other, as scripts give it. At MULTI it takes the place of OK. */
export const parts = (...list) => ({ list });

/**
 * @typedef {string | ReturnType<typeof parts>} Refusal the text of an error, or what is written in its place
 *
 * @typedef {object} Session what a node knows of a connection
 * @property {string[][] | undefined} queue of the open transaction
 * @property {boolean} isAsking
 * @property {boolean} isAborted
 *
 * @typedef {import('./scripted-cluster.mjs').Context & Session} Asked
 */

/**
 * @param {object} [rules] each is asked with the command and may refuse it
 * @param {(args: string[], asked: Asked) => Refusal | undefined} [rules.multi] at MULTI
 * @param {(args: string[], asked: Asked) => Refusal | undefined} [rules.queue] in a transaction
 * @param {(queue: string[][], asked: Asked) => Refusal | undefined} [rules.exec] at EXEC, of what is not aborted
 * @param {(args: string[], asked: Asked) => Refusal | undefined} [rules.single] outside of one
 */
export function transactional({ multi, queue, exec, single } = {}) {
  /** @type {WeakMap<object, Session>} */
  const sessions = new WeakMap();
  /** What was run, in order: the node and the command, or the commands of a transaction. */
  const ran = [];
  const counts = new Map();

  const run = ([name, key, value]) => {
    if (name === 'ECHO') return resp.bulk(key);
    if (name === 'GET') return resp.bulk(`${counts.get(key) ?? 0}`);
    if (name === 'SET') return counts.set(key, Number(value)), OK;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return resp.number(counts.get(key));
  };
  const refused = (refusal) => (typeof refusal === 'string' ? resp.error(refusal) : refusal.list);

  /** @type {import('./scripted-cluster.mjs').ClusterScript} */
  const script = (args, context) => {
    const [name] = args;
    if (!NAMES.has(name)) return undefined;
    let session = sessions.get(context.connection);
    if (session === undefined) {
      session = { queue: undefined, isAsking: false, isAborted: false };
      sessions.set(context.connection, session);
    }
    const asked = { ...context, ...session };
    if (name === 'ASKING') {
      session.isAsking = true;
      return OK;
    }
    if (name === 'MULTI') {
      const refusal = multi?.(args, asked);
      if (typeof refusal === 'string') return refused(refusal);
      Object.assign(session, { queue: [], isAborted: false });
      return refusal === undefined ? OK : refused(refusal);
    }
    if (name === 'EXEC') {
      if (session.queue === undefined) return resp.error('ERR EXEC without MULTI');
      const { queue: commands, isAborted } = session;
      Object.assign(session, { queue: undefined, isAsking: false });
      if (isAborted) return resp.error(ABORTED);
      const refusal = exec?.(commands, asked);
      if (refusal !== undefined) return refused(refusal);
      ran.push({ node: context.node, commands: commands.map((one) => one.join(' ')) });
      return resp.array(commands.map(run));
    }
    if (session.queue !== undefined) {
      const refusal = queue?.(args, asked);
      if (refusal === undefined) session.queue.push(args);
      else session.isAborted = true;
      return refusal === undefined ? QUEUED : refused(refusal);
    }
    session.isAsking = false;
    const refusal = single?.(args, asked);
    if (refusal !== undefined) return refused(refusal);
    if (name !== 'ECHO') ran.push({ node: context.node, commands: [args.join(' ')] });
    return run(args);
  };
  return { script, ran, counts };
}
