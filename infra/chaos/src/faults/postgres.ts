/**
 * PostgreSQL dies, stalls, refuses, is locked by others.
 *
 * Threatens: one commit, exactly once (a COMMIT of which nobody knows), "a fault of the infrastructure never makes a
 * dead letter", "it comes back by itself" (pools that keep dead or read-only sessions). Publishing must go on all
 * the while. Recovered as everywhere.
 */
import { defineFault, type FaultContext, insist } from '../fault.ts'
import { partOf } from '../inject/parts.ts'
import type { OpenSession } from '../targets/target.ts'

const killPostgres = defineFault({
  name: 'kill-postgres',
  about: 'kill -9 of the postmaster; it is started again and recovers',
  needs: ['processes'],
  async run({ target: { processes } }) {
    await processes.signal(await partOf(processes, 'postgres'), 'SIGKILL')
  },
})

const appSessions = `pid FROM pg_stat_activity WHERE application_name LIKE 'sekali/%'`

const stallPostgres = defineFault({
  name: 'stall-postgres',
  about: 'SIGSTOP of the postmaster and of every session of the apps for up to 10 s',
  needs: ['processes', 'sql'],
  async run({ target: { processes, sql }, random, pause }) {
    const postgres = await partOf(processes, 'postgres')
    const sessions = await sql.rows(`SELECT ${appSessions}`)
    const stopped = [
      postgres,
      ...sessions.map(({ pid }) => ({ name: 'postgres', kind: 'postgres' as const, pid: Number(pid) })),
    ]
    for (const one of stopped) await processes.signal(one, 'SIGSTOP')
    await pause(random.int(500, 10_000))
    for (const one of stopped.reverse()) await processes.signal(one, 'SIGCONT')
  },
})

const terminateBackends = defineFault({
  name: 'terminate-backends',
  about:
    'pg_terminate_backend of random sessions again and again: idle ones, at BEGIN, between two statements',
  needs: ['sql'],
  async run({ target: { sql }, random, pause }, signal) {
    const states = [
      '',
      `AND query = 'BEGIN'`,
      `AND state LIKE 'idle in transaction%'`,
      `AND state = 'active'`,
    ]
    for (let times = random.int(10, 40); times > 0 && !signal.aborted; times--) {
      await sql.rows(
        `SELECT pg_terminate_backend(pid) FROM (SELECT ${appSessions} ${random.pick(states)}
         ORDER BY random() LIMIT 1) one`,
      )
      await pause(random.int(0, 60))
    }
  },
})

const readOnly = defineFault({
  name: 'read-only-postgres',
  about: 'default_transaction_read_only is on for a while, as on a demoted primary',
  needs: ['session'],
  async run({ target, random, pause }) {
    try {
      await alter(target.session, 'SET default_transaction_read_only = on')
      await pause(random.int(500, 6_000))
    } finally {
      await insist(() => alter(target.session, 'RESET default_transaction_read_only'))
    }
  },
})

async function alter(open: OpenSession, what: string): Promise<void> {
  await using session = await open()
  await session.rows('SET default_transaction_read_only = off')
  await session.rows(`ALTER SYSTEM ${what}`)
  await session.rows('SELECT pg_reload_conf()')
}

const connectionsMax = 300

const exhaust = defineFault({
  name: 'exhaust-connections',
  about: 'every connection that PostgreSQL gives is taken, and the apps’ own are ended',
  needs: ['session'],
  async run({ target, random, pause }) {
    await using taken = new AsyncDisposableStack()
    const first = taken.use(await target.session())
    await take(target.session, taken)
    await first.rows(`SELECT pg_terminate_backend(pid) FROM (SELECT ${appSessions}) apps`)
    await take(target.session, taken)
    await pause(random.int(500, 4_000))
  },
})

async function take(open: OpenSession, taken: AsyncDisposableStack): Promise<void> {
  for (let count = 0; count < connectionsMax; count++) {
    const session = await open().catch(() => undefined)
    if (session === undefined) return
    taken.use(session)
  }
}

const holdRow = defineFault({
  name: 'hold-row',
  about: 'somebody else holds the row of the hot topic for up to 6 s',
  needs: ['session'],
  run: ({ target, random, topics, pause }) =>
    hold(target.session, `SELECT 1 FROM topics WHERE name = '${topics[0]}' FOR UPDATE`, () =>
      pause(random.int(500, 6_000)),
    ),
})

const lockTable = defineFault({
  name: 'lock-tables',
  about: 'somebody else locks topics or events for longer than a statement may take: statement timeouts',
  needs: ['session'],
  run: ({ target, random, pause }) =>
    hold(target.session, `LOCK TABLE ${random.pick(['topics', 'events'])} IN ACCESS EXCLUSIVE MODE`, () =>
      pause(random.int(500, 8_000)),
    ),
})

async function hold(open: OpenSession, lock: string, meanwhile: () => Promise<void>): Promise<void> {
  await using session = await open()
  await session.rows('BEGIN')
  await session.rows(lock)
  await meanwhile()
  await session.rows('ROLLBACK')
}

const deadlock = defineFault({
  name: 'deadlock',
  about: 'somebody else locks the rows of all topics in changing orders, and waits: deadlocks and lock waits',
  needs: ['session'],
  async run(context, signal) {
    for (let times = context.random.int(2, 5); times > 0 && !signal.aborted; times--) {
      await Promise.allSettled([lockInOrder(context), lockInOrder(context)])
    }
  },
})

async function lockInOrder({ target, topics, random, pause }: FaultContext<'session'>): Promise<void> {
  await using session = await target.session()
  await session.rows('BEGIN')
  for (const topic of random.shuffled(topics)) {
    await session.rows(`SELECT 1 FROM topics WHERE name = '${topic}' FOR UPDATE`)
    await pause(random.int(0, 100))
  }
  await session.rows('ROLLBACK')
}

export const postgresFaults = [
  killPostgres,
  stallPostgres,
  terminateBackends,
  readOnly,
  exhaust,
  holdRow,
  lockTable,
  deadlock,
]
