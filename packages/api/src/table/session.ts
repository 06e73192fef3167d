/** How a browser logs in: it cannot send a key with everything that it asks for, and a page must not keep one. */
import * as v from 'valibot'
import { defineRoute } from '../route.ts'
import { exampleSession, Session } from '../schemas/session.ts'

const about = { path: '/session', scope: 'any', tag: 'console', request: {} } as const
const json = { mediaType: 'application/json' } as const

export const logIn = defineRoute({
  ...about,
  id: 'logIn',
  method: 'POST',
  summary: 'Begin a session of a browser',
  description:
    'With a key in `Authorization`. The cookie `sekali_session` then stands in its place for 12 hours, or until the key ends. Requests that change something count only from a page of this gateway, which the browser says in `Origin` or `Sec-Fetch-Site`. A key begins 20 sessions at once, then one a second.',
  answers: [
    {
      ...json,
      status: 201,
      description: 'It has begun: the cookie is set.',
      schema: Session,
      example: exampleSession,
      headers: { 'Set-Cookie': 'always' },
    },
  ],
  problems: ['auth_off', 'broker_unavailable'],
})

export const readSession = defineRoute({
  ...about,
  id: 'readSession',
  method: 'GET',
  summary: 'Who one is, and what one may do',
  description: 'Of a session, a key or a token. Where no key is asked for, everyone may do everything.',
  answers: [{ ...json, status: 200, description: 'That is who.', schema: Session, example: exampleSession }],
  problems: [],
})

export const logOut = defineRoute({
  ...about,
  id: 'logOut',
  method: 'DELETE',
  summary: 'End a session of a browser',
  description:
    'For good, at every gateway within 5 seconds, with what is open with it. Without a session there is nothing to end.',
  answers: [
    {
      ...json,
      status: 200,
      description: 'It has ended, and the cookie is taken back.',
      schema: v.object({ status: v.literal('logged_out') }),
      example: { status: 'logged_out' },
      headers: { 'Set-Cookie': 'always' },
    },
  ],
  problems: ['broker_unavailable'],
})
