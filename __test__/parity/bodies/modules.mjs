// The bundled modules' commands on servers that lack the modules: the same refusal, and arguments
// that reach the server the same way (its answer quotes them).

import { moduleCalls } from '../modules/table.mjs';
import { body } from './body.mjs';

export const modules = [
  body('commands of absent modules', async ({ c }) => {
    for (const [path, args] of moduleCalls) await c[path](...args);
  }),
];
