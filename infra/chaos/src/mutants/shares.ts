// Ways to let one client take from the others what a gateway has, by what it publishes or asks for.
import type { Mutant } from './mutant.ts'

export const shareMutants: readonly Mutant[] = [
  {
    name: 'bad-lines-without-end',
    breaks: 'a stream of lines that are no events is read to its end',
    edits: [
      {
        file: 'apps/gateway/src/publish/lines.ts',
        find: 'const badLinesMax = 1_000\n',
        replace: 'const badLinesMax = 1_000_000_000\n',
      },
    ],
    test: { project: 'gateway', file: 'streams', name: 'after a thousand bad lines' },
  },
  {
    name: 'long-work-at-once',
    breaks: 'a body of 8 MiB is read without a pause',
    edits: [
      {
        file: 'apps/gateway/src/clients/time-slices.ts',
        find: 'const passMs = 2\n',
        replace: 'const passMs = 60_000\n',
      },
    ],
    test: { project: 'gateway', file: 'time-slices', name: 'the event loop goes round' },
  },
  {
    name: 'replays-of-one-client',
    breaks: 'one client may have all replays that there are',
    edits: [
      {
        file: 'apps/gateway/src/read/replay.ts',
        find: 'room.use(open.share(client)).hold(1)',
        replace: "room.use(open.share('all')).hold(0)",
      },
    ],
    test: { project: 'gateway:more', file: 'replays', name: 'leaves unread' },
  },
  {
    name: 'pages-of-one-client',
    breaks: 'one client that asks for pages may have all of PostgreSQL that there is for requests',
    edits: [
      {
        file: 'apps/gateway/src/read/store-slots.ts',
        find: 'slots.take(1, client, wait.signal)',
        replace: "slots.take(1, 'all', wait.signal)",
      },
    ],
    test: { project: 'gateway', file: 'store-slots', name: 'while one client floods' },
  },
  {
    name: 'reads-of-one-client-all-at-once',
    breaks: 'replays, tails and pages of one client are read all at once',
    edits: [
      {
        file: 'apps/gateway/src/clients/queues.ts',
        find: 'const max = atOnceMax()',
        replace: 'const max = 1_000 + atOnceMax()',
      },
    ],
    test: { project: 'gateway', file: 'queues', name: 'beyond a few' },
  },
  {
    name: 'control-characters-in-strings',
    breaks: 'text that is not JSON is queued, and no reader can parse it',
    edits: [
      { file: 'packages/core/src/text/json-text.ts', find: '    if (char < 0x20) return 0\n', replace: '' },
    ],
    test: { project: 'core', file: 'parse', name: 'as JSON.parse has it' },
  },
]
