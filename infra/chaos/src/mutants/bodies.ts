// Ways to break how bodies are read, and how requests are answered.
import type { Mutant } from './mutant.ts'

export const bodyMutants: readonly Mutant[] = [
  {
    name: 'bytes-replaced',
    breaks: 'what is not UTF-8 becomes U+FFFD, so that two ids become one',
    edits: [{ file: 'packages/core/src/text/utf8.ts', find: 'fatal: true', replace: 'fatal: false' }],
    test: { project: 'core', file: 'lines', name: 'never replaced' },
  },
  {
    name: 'nanoseconds-go-on',
    breaks: 'nine fractional digits are not cut at the door',
    edits: [
      {
        file: 'packages/core/src/event/timestamp.ts',
        find: 'text.slice(0, microsecondsEnd)',
        replace: 'text.slice(0, end)',
      },
    ],
    test: { project: 'gateway', file: 'bodies', name: 'behind the microsecond' },
  },
  {
    name: 'parameters-taken-for-preferences',
    breaks:
      'a parameter of a preference counts as a preference, so that an array is read leniently for nobody who asked',
    edits: [
      {
        file: 'apps/gateway/src/http/prefer.ts',
        find: "split(prefer.toLowerCase(), ',')",
        replace: 'prefer.toLowerCase().split(/[,;]/)',
      },
    ],
    test: { project: 'gateway', file: 'lenient', name: 'Prefer: foo; handling=lenient' },
  },
  {
    name: 'connect-unanswered',
    breaks: 'CONNECT is closed without an answer, as Node does by itself',
    edits: [
      {
        file: 'apps/gateway/src/sockets/client-errors.ts',
        find: "server.on('connect', (request, socket) => {",
        replace: "server.on('nothing', (request, socket) => {",
      },
    ],
    test: { project: 'gateway', file: 'answers', name: 'nothing here is a proxy' },
  },
  {
    name: 'kept-and-hung-up',
    breaks: 'an answer before the end of its request does not say that the connection is closed',
    edits: [
      {
        file: 'apps/gateway/src/http/reply.ts',
        find: "[requestIdHeader]: lastRequestIdOf(request),\n    Connection: 'close',",
        replace: '[requestIdHeader]: lastRequestIdOf(request),',
      },
    ],
    test: { project: 'gateway', file: 'answers', name: 'before its end' },
  },
  {
    name: 'lenient-drops-the-good',
    breaks: 'of an array that is sent leniently nothing is queued when one is bad',
    edits: [
      {
        file: 'packages/core/src/event/parse.ts',
        find: '  return { events, indexes, invalid, bad }',
        replace: '  return { events: invalid > 0 ? [] : events, indexes, invalid, bad }',
      },
    ],
    test: { project: 'gateway', file: 'lenient', name: 'good ones are queued' },
  },
]
