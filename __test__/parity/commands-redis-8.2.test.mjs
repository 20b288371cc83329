// All bodies on redis-8.2.

import { declareCommandSuite } from './harness/command-suite.mjs';

await declareCommandSuite('redis-8.2');
