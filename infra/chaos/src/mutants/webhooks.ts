// Ways to send what must not be sent, to where nothing may go, or to forget that it was. What a broken guard dials is tried in a
// network of the test's own, and nowhere else.
import type { Mutant } from './mutant.ts'

const guard = 'apps/dispatcher/src/send/connect.ts'
const inOwnNetwork = { project: 'dispatcher', file: 'guard-network' }

export const webhookMutants: readonly Mutant[] = [
  {
    name: 'guard-by-name-alone',
    breaks: 'only what a name leads to is checked: an address in the URL is dialled',
    edits: [
      {
        file: guard,
        find: 'isIP(literal) === 0 ? undefined : denialOf(literal, allow, isClear)',
        replace: 'undefined',
      },
      { file: guard, find: 'denialOf(remoteAddress, allow, isClear)', replace: 'undefined' },
    ],
    test: { ...inOwnNetwork, name: 'no address of the table gets a connection' },
  },
  {
    name: 'guard-when-saved-alone',
    breaks: 'what a name leads to is not checked when it is dialled',
    edits: [
      {
        file: guard,
        find: 'addresses.map(({ address }) => denialOf(address, allow, isClear)).find((word) => word)',
        replace: 'undefined as string | undefined',
      },
      { file: guard, find: 'denialOf(remoteAddress, allow, isClear)', replace: 'undefined' },
    ],
    test: { ...inOwnNetwork, name: 'inside by turns' },
  },
  {
    name: 'ipv-four-in-six',
    breaks: 'an IPv6 address that stands for an IPv4 address inside is taken for public',
    edits: [
      {
        file: 'packages/webhook/src/guard.ts',
        find: '!isIn(address, publicV6) || deniedV6',
        replace: 'deniedV6',
      },
    ],
    test: { project: 'webhook', file: 'guard', name: 'is denied' },
  },
  {
    name: 'redirect-followed',
    breaks: 'a redirect is followed, wherever it leads',
    edits: [
      {
        file: 'apps/dispatcher/src/send/post.ts',
        find: '      const read = await readBeginning(answer.body)\n',
        replace:
          '      const to = answer.headers.location\n      if (to !== undefined) await fetch(String(to), { method: "POST" })\n' +
          '      const read = await readBeginning(answer.body)\n',
      },
    ],
    test: { project: 'dispatcher', file: 'deliver', name: 'a redirect is a failure' },
  },
  {
    name: 'attempt-not-recorded',
    breaks: 'an event is settled, and the attempt is not written down',
    edits: [
      {
        file: 'packages/store/migrations/0022_push.sql',
        find: '\t\tPERFORM subscriptions.note_attempts(sub.id, outcomes);\n',
        replace: '',
      },
    ],
    test: { project: 'store', file: 'push.test', name: 'what was delivered is settled' },
  },
  {
    name: 'retries-in-arrays',
    breaks: 'what failed together is sent together again, so one event that is refused takes others with it',
    edits: [
      {
        file: 'packages/store/src/push/turn.ts',
        find: '    ...items.slice(0, end).map((item) => [item]),\n',
        replace: '    ...(end > 0 ? [items.slice(0, end)] : []),\n',
      },
    ],
    test: { project: 'dispatcher', file: 'arrays', name: 'one event that is refused' },
  },
  {
    name: 'transaction-over-a-call',
    breaks: 'a transaction is open while a request is on its way',
    edits: [
      {
        file: 'apps/dispatcher/src/endpoint/turns.ts',
        find: '        const turn = await takePushTurn(store, { ...asked, worker, grant, judge })\n',
        replace:
          '        const turn = await takePushTurn(store, { ...asked, worker, grant, judge })\n' +
          "        const held = await store.pool.connect().catch(() => undefined)\n        await held?.query('BEGIN; SELECT 1')\n" +
          '        setTimeout(() => held?.release(true), 5_000)\n',
      },
    ],
    test: { project: 'dispatcher', file: 'sharing', name: 'no transaction is open' },
  },
  {
    name: 'retries-after-gone',
    breaks: 'an endpoint that is disabled still gets the retries that were due',
    edits: [
      {
        file: 'packages/store/migrations/0022_push.sql',
        find: "WHEN is_probe THEN 'given' WHEN e.state = 'disabled' THEN 'disabled'",
        replace: "WHEN is_probe THEN 'given'",
      },
    ],
    test: { project: 'store', file: 'judge', name: '410 disables it' },
  },
  {
    name: 'secret-in-log',
    breaks: 'what a delivery is signed with is logged',
    edits: [
      {
        file: 'apps/dispatcher/src/endpoint/deliver.ts',
        find: "    at('sending')\n",
        replace: "    at('sending')\n    log.info({ signing }, 'sends')\n",
      },
    ],
    test: { project: 'dispatcher', file: 'crash', name: 'no secret is in what' },
  },
  {
    name: 'guard-not-wired',
    breaks: 'the guard is whole, and the program that runs gives it every address there is as allowed',
    edits: [
      {
        file: 'apps/dispatcher/src/main.ts',
        find: 'openLine(url, concurrency, config.allow)',
        replace:
          "openLine(url, concurrency, parseConfig({ ...process.env, WEBHOOK_ALLOW: '0.0.0.0/0,::/0' }).allow)",
      },
    ],
    test: { project: 'chaos', file: 'receivers', name: 'break no promise to endpoints' },
  },
]
