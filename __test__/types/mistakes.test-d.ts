/**
 * Programs that must not compile, against this package and with the import taken from `redis`: a
 * mistake that node-redis's types catch is caught here too.
 */
import {
  createCluster,
  defineScript,
  RESP_TYPES,
  type CommandParser,
  type RedisClusterOptions,
  type RedisClusterType,
} from 'redis-cluster-native';

export async function wrongArguments(cluster: RedisClusterType): Promise<void> {
  // @ts-expect-error a key is a string or a Buffer
  await cluster.get(1);
  // @ts-expect-error a key is missing
  await cluster.get();
  // @ts-expect-error one argument too many
  await cluster.get('key', 'other');
  // @ts-expect-error the amount is a number
  await cluster.incrBy('key', '2');
  // @ts-expect-error no such option of SET
  await cluster.set('key', 'value', { FOREVER: true });
  // @ts-expect-error a member needs a score
  await cluster.zAdd('sorted', { value: 'a' });
  // @ts-expect-error arguments of a raw command are strings or Buffers
  await cluster.sendCommand('key', false, ['INCRBY', 'key', 2]);
  // @ts-expect-error no such command
  await cluster.getEverything('key');
  // @ts-expect-error no such command in the module
  await cluster.json.getEverything('doc');
  // @ts-expect-error WATCH belongs to a connection, not to a cluster
  await cluster.watch('key');
  // @ts-expect-error a cluster has no database to select
  await cluster.select(1);
}

export async function wrongUseOfReplies(cluster: RedisClusterType): Promise<void> {
  // @ts-expect-error null is possible
  const value: string = await cluster.get('key');
  // @ts-expect-error INCR answers with a number
  const text: string = await cluster.incr('key');
  // @ts-expect-error a promise, not its value
  (cluster.get('key') ?? '').length;
  const buffers = cluster.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  // @ts-expect-error the mapping makes it a Buffer
  const mapped: string | null = await buffers.get('key');
  const maps = cluster.withTypeMapping({ [RESP_TYPES.MAP]: Map });
  // @ts-expect-error a Map has no fields
  (await maps.hGetAll('hash')).field;
  void [value, text, mapped];
}

export function wrongOptions(): void {
  // @ts-expect-error options are required
  createCluster();
  // @ts-expect-error rootNodes is required
  createCluster({ useReplicas: true });
  // @ts-expect-error no such option
  createCluster({ rootNodes: [], useReplica: true });
  // @ts-expect-error a node is an object
  createCluster({ rootNodes: ['redis://127.0.0.1'] });
  // @ts-expect-error the protocol is 2 or 3
  createCluster({ rootNodes: [], RESP: 4 });
  // @ts-expect-error a number of redirects
  createCluster({ rootNodes: [], maxCommandRedirections: '16' });
  // @ts-expect-error true is not a delay
  createCluster({ rootNodes: [], topologyRefreshOnReconnectionAttemptStrategy: true });
  // @ts-expect-error an address needs its port
  createCluster({ rootNodes: [], nodeAddressMap: { 'a:1': { host: 'b' } } });
  // @ts-expect-error the key prefix belongs to the cluster
  createCluster({ rootNodes: [], defaults: { keyPrefix: 'app:' } });
  // @ts-expect-error a number cannot become a Map
  createCluster({ rootNodes: [], commandOptions: { typeMapping: { [RESP_TYPES.NUMBER]: Map } } });
  // @ts-expect-error no such command option
  const options: RedisClusterOptions = { rootNodes: [], commandOptions: { deadline: 1 } };
  void options;
}

export async function wrongExtensions(): Promise<void> {
  const upper = defineScript({
    SCRIPT: 'return string.upper(ARGV[1])',
    parseCommand(parser: CommandParser, text: string) {
      parser.push(text);
    },
    transformReply: (reply: string) => reply,
  });
  const cluster = createCluster({ rootNodes: [], scripts: { upper } });
  // @ts-expect-error the script takes a string
  await cluster.upper(1);
  // @ts-expect-error the script answers with a string
  const reply: number = await cluster.upper('text');
  // @ts-expect-error a script needs its text
  defineScript({ parseCommand() {}, transformReply: () => null });
  // @ts-expect-error a script has its hash from defineScript
  createCluster({ rootNodes: [], scripts: { bad: { SCRIPT: 'return 1', parseCommand() {} } } });
  void reply;
}
