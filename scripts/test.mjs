// `npm test`: prepares the machine, then checks everything.

import { ready } from './ready.mjs';
import { setup } from './setup.mjs';
import { main } from './steps.mjs';

await main(async () => ready(await setup({ servers: 'all' })));
