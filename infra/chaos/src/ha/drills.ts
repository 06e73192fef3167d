/**
 * What happens to systems that have a second of everything. Each drill resolves once its fault is over, and recovery counts
 * from then on. What it loses without protection it books as destroyed; with it, nothing may be missing.
 */
import { startApp } from '@sekali/local/app-process'
import { programs } from '@sekali/local/repository'
import { connectStore } from '@sekali/store/connect'
import { quiet } from '@sekali/testkit/quiet'
import { until } from '../clock.ts'
import { type FaultContext, PromiseBroken } from '../fault.ts'
import { accessSql } from '../targets/access.ts'
import type { PartKind } from '../targets/target.ts'
import { cutNetwork, healNetwork } from './network.ts'
import { type Patroni, patroniPackages } from './patroni.ts'
import type { HaTarget } from './target.ts'

type Context = Pick<FaultContext, 'acknowledged' | 'destroys' | 'pause' | 'report'>

export interface Drill {
  readonly name: string
  readonly about: string
  /** What it needs of Debian, beside HAProxy. */
  readonly packages?: readonly string[]
  readonly database?: 'pgbouncer' | 'patroni'
  /** It takes long, or needs much of Debian: it is done only when it is named. */
  readonly isByHand?: true
  /** Whether it loses what was acknowledged, where nothing protects from that. */
  readonly loses?: true
  run(target: HaTarget, context: Context, signal: AbortSignal): Promise<void>
}

const failoverMs = 60_000
const aloneMs = 1_000
const cutMs = 6_000
const lagMs = 2_000

const redisKill: Drill = {
  name: 'redis-kill',
  about: 'kill -9 of the primary Redis, while what was acknowledged in the last second is in Redis alone',
  async run(target, { pause }) {
    await signalAll(target, 'consumer', 'SIGSTOP')
    await pause(aloneMs)
    await killServer(target, target.sentinels.redises[0])
    await signalAll(target, 'consumer', 'SIGCONT')
  },
}

const redisSplit: Drill = {
  name: 'redis-split',
  about:
    'the network is cut: gateways and primary Redis on one side, replicas and Sentinels on the other, 6 s',
  loses: true,
  async run(target, { destroys, pause }, signal) {
    const { sentinels } = target
    const [before] = await sentinels.written()
    const hasFailedOver = async () =>
      (await sentinels.written()).filter((place) => place !== before).length >= 2
    await signalAll(target, 'consumer', 'SIGSTOP') // or what is published on the wrong side would be stored
    await lossy(target, 'redis-split', destroys, async () => {
      await cutNetwork()
      try {
        await pause(cutMs)
        await mustCome('a failover', hasFailedOver, signal)
      } finally {
        await healNetwork()
      }
      await mustCome(
        'the old primary as a replica',
        async () => (await sentinels.roleOfFirst()) === 'slave',
        signal,
      )
    })
    await signalAll(target, 'consumer', 'SIGCONT')
  },
}

const postgresLag: Drill = {
  name: 'postgres-lag',
  about: 'kill -9 of the primary PostgreSQL, and promotion of a standby that is 2 s behind',
  loses: true,
  async run(target, { destroys, pause }) {
    const pair = pairOf(target)
    await lossy(target, 'postgres-lag', destroys, async () => {
      await pair.lag()
      await pause(lagMs)
      await pair.primary.kill()
      target.noteKill()
      await pair.promote()
    })
  },
}

const oldMs = 20_000

const postgresOld: Drill = {
  name: 'postgres-old',
  about:
    'the primary PostgreSQL comes back after the standby was promoted, unfenced, with consumers that go to it',
  async run(target, { acknowledged }, signal) {
    const { env, logDir } = target
    const pair = pairOf(target)
    await pair.primary.kill()
    target.noteKill()
    await pair.promote()
    const taken = acknowledged()
    await mustCome('acknowledged events', () => acknowledged() > taken, signal)
    await pair.primary.start()
    await using old = connectStore({ url: pair.primary.url, poolMax: 1, name: 'chaos-old' }, quiet)
    const heads = async () =>
      JSON.stringify(await accessSql(old).rows('SELECT name, head FROM topics ORDER BY name'))
    const before = await heads()
    // One knows nothing else; one comes to the old primary first, as it stands first.
    const urls = { lonely: pair.primary.url, newcomer: pair.url }
    const consumers = await Promise.all(
      Object.entries(urls).map(([name, url]) =>
        startApp({
          ...{ name, program: programs.consumer, logDir },
          env: { ...env, DATABASE_URL: url, CONSUMER_NAME: name },
        }),
      ),
    )
    try {
      const refused = async () => ((await target.logged(/OLD_PRIMARY/, 0)) ?? []).length > 0
      if (!(await until(refused, oldMs, signal)))
        throw new PromiseBroken('no consumer has noticed that the PostgreSQL it reaches is an old primary')
      const further = acknowledged() + 500
      await mustCome('acknowledged events', () => acknowledged() > further, signal)
    } finally {
      await Promise.all(consumers.map((consumer) => consumer.stop()))
    }
    if ((await heads()) !== before) throw new PromiseBroken('the old primary has got events')
  },
}

function pairOf({ database: { pair } }: HaTarget) {
  if (pair === undefined) throw new Error('there is no standby here')
  return pair
}

const gatewayKill: Drill = {
  name: 'gateway-kill',
  about: 'kill -9 of each gateway behind HAProxy, one after the other',
  async run({ processes, gatewayUrls }, { pause }, signal) {
    for (const part of (await processes.parts()).filter(({ kind }) => kind === 'gateway')) {
      await processes.signal(part, 'SIGKILL')
      const isBack = async () => (await fetch(`${gatewayUrls.get(part.name)}/healthz`)).ok
      await mustCome(part.name, isBack, signal)
      await pause(aloneMs) // HAProxy has noticed by then
    }
  },
}

const poolerRestart: Drill = {
  name: 'pgbouncer-restart',
  about: 'PgBouncer, in transaction mode, is killed and started again, three times',
  packages: ['pgbouncer'],
  database: 'pgbouncer',
  async run(target, { acknowledged }, signal) {
    for (let times = 0; times < 3; times++) {
      await target.database.pooler?.restart()
      target.noteKill()
      const further = acknowledged() + 300
      await mustCome('acknowledged events', () => acknowledged() > further, signal)
    }
  },
}

const patroni = (
  name: string,
  about: string,
  move: (patroni: Patroni, target: HaTarget) => Promise<void>,
): Drill => ({
  ...{ name, about, packages: patroniPackages, database: 'patroni', isByHand: true },
  async run(target) {
    const { patroni } = target.database
    if (patroni === undefined) throw new Error('there is no Patroni here')
    await move(patroni, target)
  },
})

const patroniSwitchover = patroni(
  'patroni-switchover',
  'Patroni, with etcd and HAProxy, makes the other node the primary in good order',
  ({ switchOver }) => switchOver(),
)

const patroniKill = patroni(
  'patroni-kill',
  'kill -9 of the primary PostgreSQL and of its Patroni; recovery counts from when Patroni has promoted the other node',
  async ({ killPrimary }, { noteKill }) => {
    noteKill()
    await killPrimary()
  },
)

export const drills: readonly Drill[] = [
  redisKill,
  redisSplit,
  postgresLag,
  postgresOld,
  gatewayKill,
  poolerRestart,
  patroniSwitchover,
  patroniKill,
]

const lossy = (
  { isProtected }: HaTarget,
  name: string,
  destroys: Context['destroys'],
  work: () => Promise<void>,
): Promise<void> => (isProtected ? work() : destroys(name, work))

async function signalAll({ processes }: HaTarget, kind: PartKind, name: NodeJS.Signals): Promise<void> {
  const found = (await processes.parts()).filter((part) => part.kind === kind)
  await Promise.all(found.map((part) => processes.signal(part, name)))
}

async function killServer(
  { noteKill }: HaTarget,
  server: { kill(name: NodeJS.Signals): void; readonly exited: Promise<void> },
): Promise<void> {
  server.kill('SIGKILL')
  noteKill()
  await server.exited
}

async function mustCome(
  what: string,
  hasCome: () => Promise<boolean> | boolean,
  signal: AbortSignal,
): Promise<void> {
  if (!(await until(hasCome, failoverMs, signal)))
    throw new PromiseBroken(`${what} did not come in ${failoverMs / 1_000} s`)
}
