// Ways to break sessions of browsers.
import type { Mutant } from './mutant.ts'

const project = 'gateway'
const file = 'sessions'

export const sessionMutants: readonly Mutant[] = [
  {
    name: 'session-unsigned',
    breaks: 'whoever knows the id of a key, which is in logs, writes a session of it',
    edits: [
      {
        file: 'apps/gateway/src/access/session-lookups.ts',
        find: 'record === undefined || !isOurs ||',
        replace: 'record === undefined || isOurs === undefined ||',
      },
    ],
    test: { project, file, name: 'what no gateway has signed opens nothing' },
  },
  {
    name: 'session-signed-by-redis-alone',
    breaks: 'whoever has a copy of Redis writes a session of any key',
    edits: [
      {
        file: 'apps/gateway/src/access/session-text.ts',
        find: '.update(keyHash)',
        replace: '.update(Buffer.alloc(keyHash.length))',
      },
    ],
    test: { project, file, name: 'what no gateway has signed opens nothing' },
  },
  {
    name: 'session-from-any-page',
    breaks: 'a request whose browser does not say which page has sent it changes something with a session',
    edits: [
      {
        file: 'apps/gateway/src/access/shown.ts',
        find: '!isSameOrigin(request)',
        replace: '!(isSameOrigin(request) || request.headers.origin === undefined)',
      },
    ],
    test: { project, file, name: 'a page of another origin changes nothing' },
  },
  {
    name: 'session-outlives-its-end',
    breaks: 'a session goes on at other gateways when somebody has left it',
    edits: [
      {
        file: 'apps/gateway/src/access/session-lookups.ts',
        find: ' || over.has(session.name)',
        replace: '',
      },
    ],
    test: { project, file, name: 'a session that somebody leaves is over at every gateway' },
  },
]
