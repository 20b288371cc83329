'use strict';
// What `multi()` of a client of one node returns: as a cluster's, but no keys decide where it goes.

const { MultiCommand } = require('./multi-command');

/** @typedef {import('./multi-command').Arguments} Arguments */
/** @typedef {import('./waiting').TransformReply} TransformReply */

class NodeMultiCommand extends MultiCommand {
  /**
   * @param {Arguments} args
   * @param {TransformReply} [transformReply]
   */
  addCommand(args, transformReply) {
    return this._add(args, undefined, args.preserve, undefined, transformReply);
  }

  /** @param {import('@redis/client').RedisArgument[]} args */
  sendCommand(args) {
    return this.addCommand(args.slice());
  }

  /**
   * @param {number} db
   * @param {TransformReply} [transformReply]
   */
  SELECT(db, transformReply) {
    return this.addCommand(['SELECT', db.toString()], transformReply);
  }

  /**
   * @param {number} db
   * @param {TransformReply} [transformReply]
   */
  select(db, transformReply) {
    return this.SELECT(db, transformReply);
  }
}

module.exports = { NodeMultiCommand };
