// All bodies on valkey-8.1.

import { declareCommandSuite } from './harness/command-suite.mjs';

await declareCommandSuite('valkey-8.1');
