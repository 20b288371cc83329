/**
 * A program as a user of node-redis writes it: options, modules, functions, scripts, events,
 * errors, classes. Compiled twice: as it stands, and with its first import taken from `redis`.
 */
import {
  ClientClosedError,
  createCluster,
  defineScript,
  ErrorReply,
  MaxCommandRedirectionsError,
  RedisCluster,
  RESP_TYPES,
  type CommandParser,
  type RedisArgument,
  type RedisClientType,
  type RedisClusterOptions,
  type RedisClusterType,
  type RedisFunctions,
  type RedisModules,
  type RedisScripts,
  type RespVersions,
  type TypeMapping,
} from 'redis-cluster-native';
import { exactly } from './assert-types.js';

const options: RedisClusterOptions = {
  rootNodes: [{ url: 'redis://127.0.0.1:7000' }, { socket: { host: '127.0.0.1', port: 7001 } }],
  defaults: {
    username: 'user',
    password: 'secret',
    name: 'program',
    disableOfflineQueue: true,
    commandsQueueMaxLength: 1000,
    clientInfoTag: 'tag',
    maintNotifications: 'disabled',
    socket: {
      connectTimeout: 1000,
      keepAlive: true,
      keepAliveInitialDelay: 10_000,
      noDelay: true,
      reconnectStrategy: (retries: number, cause: Error) =>
        retries > 5 ? new Error('gone', { cause }) : 100,
    },
  },
  minimizeConnections: true,
  useReplicas: true,
  maxCommandRedirections: 8,
  topologyRefreshOnReconnectionAttemptStrategy: (since) => (since > 0 ? 1000 : false),
  nodeAddressMap: (address) => (address === 'a:1' ? { host: 'b', port: 2 } : undefined),
  keyPrefix: 'app:',
};

const bare = createCluster(options);
const cluster = createCluster({
  rootNodes: [{ url: 'redis://127.0.0.1:7000' }],
  defaults: { socket: { tls: false, reconnectStrategy: false } },
  nodeAddressMap: { 'a:1': { host: 'b', port: 2 } },
  commandOptions: { timeout: 1000 },
});

const add = defineScript({
  NUMBER_OF_KEYS: 1,
  SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1])',
  parseCommand(parser: CommandParser, key: RedisArgument, amount: number) {
    parser.pushKey(key);
    parser.push(amount.toString());
  },
  transformReply: (reply: number) => reply + 0.5,
});
const echo = {
  IS_READ_ONLY: true,
  NUMBER_OF_KEYS: 0,
  parseCommand(parser: CommandParser, text: string) {
    parser.push(text);
  },
  transformReply: { 2: (reply: string) => reply.length, 3: (reply: string) => [reply] },
} as const;

export async function extended(): Promise<void> {
  const rich = createCluster({
    rootNodes: [{ url: 'redis://127.0.0.1' }],
    modules: { graph: { echo } },
    functions: { library: { echo } },
    scripts: { add },
  });
  exactly<number>()(await rich.add('key', 2));
  exactly<string[]>()(await rich.graph.echo('text'));
  exactly<string[]>()(await rich.library.echo('text'));
  exactly<string | null>()(await rich.get('key'));
  await rich.json.get('doc');
  const connected = await rich.connect();
  exactly<number>()(await connected.duplicate().add('key', 1));
  exactly<number>()(await connected.withTypeMapping({ [RESP_TYPES.MAP]: Map }).add('key', 1));

  const old = createCluster({ rootNodes: [], RESP: 2, functions: { library: { echo } } });
  exactly<number>()(await old.library.echo('text'));
}

export async function lifecycle(): Promise<string> {
  cluster
    .on('error', (error: Error) => console.error(error))
    .on('node-error', (error: Error, node: { host: string; port: number }) => {
      console.error(error.message, node.host, node.port);
    })
    .once('node-ready', ({ host, port }: { host: string; port: number }) => [host, port]);
  exactly<boolean>()(cluster.isOpen && cluster.isReady);
  try {
    const same: RedisClusterType = await cluster.connect();
    exactly<string | undefined>()(same.masters.at(0)?.address);
    exactly<string>()(same.slots[0]!.master.id);
    exactly<number | undefined>()(same.nodeByAddress.get('a:1')?.port);
    exactly<boolean | undefined>()(same.replicas[0]?.readonly);
    exactly<string>()(same.getSlotMaster(0).host);
  } catch (error) {
    if (error instanceof MaxCommandRedirectionsError) return String(error.cause);
    if (error instanceof ErrorReply || error instanceof ClientClosedError) return error.message;
    throw error;
  } finally {
    exactly<void>()(await cluster.close());
    exactly<void>()(bare.destroy());
  }
  return 'done';
}

/** Libraries are generic over all five parameters; frameworks keep the cluster in a variable. */
export class Cache<
  M extends RedisModules,
  F extends RedisFunctions,
  S extends RedisScripts,
  RESP extends RespVersions,
  MAPPING extends TypeMapping,
> {
  constructor(private readonly cluster: RedisClusterType<M, F, S, RESP, MAPPING>) {}

  async open(): Promise<this> {
    if (!this.cluster.isOpen) await this.cluster.connect();
    return this;
  }
}
export const cache = new Cache(cluster);
export let kept: ReturnType<typeof createCluster> = createCluster({ rootNodes: [] });
export const opened: Awaited<ReturnType<typeof cluster.connect>>[] = [cluster];
export const again: typeof cluster = opened[0]!;

/** The class is a value and a type. */
export const anyCluster: RedisCluster<any, any, any, any, any> = cluster;
export const constructed: RedisCluster<{}, {}, {}, 3, {}> = new RedisCluster({ rootNodes: [] });
export const isCluster: boolean = (cluster as object) instanceof RedisCluster;
export async function made(): Promise<void> {
  exactly<string | null>()(await RedisCluster.create({ rootNodes: [] }).get('key'));
  const old = RedisCluster.factory({ RESP: 2 })({ rootNodes: [] });
  exactly<string[]>()(await old.sMembers('set'));
}
export class Own extends RedisCluster<{}, {}, {}, 3, {}> {
  get usable(): boolean {
    return this.isReady;
  }
}

export async function transactions(cluster: RedisClusterType): Promise<void> {
  const replies = await cluster.multi().set('a', '1').get('a').execTyped();
  exactly<string | null>()(replies[1]);
  const numbers = await cluster.MULTI('a').incr('a').sCard('{a}s').execAsPipelineTyped();
  exactly<number>()(numbers[0]);
  const sent = cluster.multi().addCommand('a', true, ['GET', 'a'], (reply) => reply);
  await sent.sendCommand(['GET', 'a'], { firstKey: 'a' }).exec(true);
}

/** Not usable on this package's cluster yet, but a program that has them compiles. */
export async function connections(cluster: RedisClusterType): Promise<void> {
  await cluster.subscribe('channel', (message, channel) => `${channel}: ${message}`);
  await cluster.sSubscribe('channel', (message: Buffer) => message.byteLength, true);
  const node = cluster.slots[0]!.master;
  const client: RedisClientType = (await cluster.nodeClient(node)) as RedisClientType;
  await client.watch('key');
}
