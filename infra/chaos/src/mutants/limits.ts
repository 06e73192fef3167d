// Ways to let one client take the service from the others.
import type { Mutant } from './mutant.ts'

export const limitMutants: readonly Mutant[] = [
  {
    name: 'pipelined-at-once',
    breaks: 'all requests that a client sends ahead are begun at once, whether it reads the answers or not',
    edits: [
      {
        file: 'apps/gateway/src/sockets/pipelines.ts',
        find: 'if (pipeline.current === undefined) start',
        replace: 'if (pipeline.waiting.length === 0) start',
      },
    ],
    test: { project: 'gateway', file: 'sent-ahead', name: 'of requests sent ahead none is begun' },
  },
  {
    name: 'half-a-body-begun',
    breaks: 'a body that stops coming behind a slow request holds its connection and its place for ever',
    edits: [
      {
        file: 'apps/gateway/src/sockets/pipeline.ts',
        find: 'lastWords === undefined || exchange.request.complete',
        replace: 'lastWords === undefined || exchange.request !== undefined',
      },
    ],
    test: { project: 'gateway', file: 'sent-ahead', name: 'that stops coming while its request waits' },
  },
  {
    name: 'idle-shuts-out',
    breaks: 'connections that only stand there keep newcomers out',
    edits: [
      {
        file: 'apps/gateway/src/sockets/seats.ts',
        find: 'if (seat === undefined) return false',
        replace: 'if (seat !== undefined || seat === undefined) return false',
      },
    ],
    test: { project: 'gateway', file: 'connections', name: 'that say nothing give way' },
  },
  {
    name: 'served-as-they-come',
    breaks: 'who connects behind a thousand connections of another client waits until all of them are served',
    edits: [
      {
        file: 'apps/gateway/src/sockets/arrivals.ts',
        find: 'count <= atOnceMax || !clients.areSeveral()',
        replace: 'count <= atOnceMax || clients.areSeveral()',
      },
    ],
    test: { project: 'gateway', file: 'arrivals', name: 'who comes behind a thousand' },
  },
  {
    name: 'trickle-counts',
    breaks: 'a client that takes a byte of its answer now and then holds it for ever',
    edits: [
      {
        file: 'apps/gateway/src/sockets/stalls.ts',
        find: 'bytes - before.bytes >= takenBytesMin',
        replace: 'bytes - before.bytes >= 0',
      },
    ],
    test: { project: 'gateway', file: 'slow-readers', name: 'reads a byte now and then' },
  },
  {
    name: 'responses-uncounted',
    breaks: 'pages that nobody reads take all memory',
    edits: [
      {
        file: 'apps/gateway/src/http/responses.ts',
        find: 'else holdUntilTaken(outgoing, share, bytes ?? usualBytes)',
        replace: 'else share[Symbol.dispose]()',
      },
    ],
    test: { project: 'gateway', file: 'responses', name: 'pages that nobody reads are bounded' },
  },
]
