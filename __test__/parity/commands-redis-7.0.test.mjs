// All bodies on redis-7.0.

import { declareCommandSuite } from './harness/command-suite.mjs';

await declareCommandSuite('redis-7.0');
