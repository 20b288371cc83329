// All bodies.

import { badArguments } from './bad-arguments.mjs';
import { binary } from './binary.mjs';
import { bits } from './bits.mjs';
import { clusterState } from './cluster-state.mjs';
import { concurrency } from './concurrency.mjs';
import { geo } from './geo.mjs';
import { hashes } from './hashes.mjs';
import { keys } from './keys.mjs';
import { lists } from './lists.mjs';
import { modules } from './modules.mjs';
import { newerTypes } from './newer-types.mjs';
import { policies } from './policies.mjs';
import { raw } from './raw.mjs';
import { scripting } from './scripting.mjs';
import { server } from './server.mjs';
import { sets } from './sets.mjs';
import { sortedSets } from './sorted-sets.mjs';
import { split } from './split.mjs';
import { streams } from './streams.mjs';
import { strings } from './strings.mjs';

export const bodies = [
  ...strings,
  ...keys,
  ...hashes,
  ...lists,
  ...sets,
  ...sortedSets,
  ...streams,
  ...geo,
  ...bits,
  ...scripting,
  ...server,
  ...clusterState,
  ...newerTypes,
  ...binary,
  ...concurrency,
  ...modules,
  ...raw,
  ...badArguments,
  ...split,
  ...policies,
];
