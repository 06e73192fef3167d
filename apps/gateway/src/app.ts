import type { IncomingMessage, RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Logger } from '@sekali/process/log'
import type { Authenticator } from './access/authenticate.ts'
import { behindKeys } from './access/behind-keys.ts'
import { createCors } from './http/cors.ts'
import { createDoor } from './http/door.ts'
import { sendEarly } from './http/reply.ts'
import { requestIdHeader, requestIdOf } from './http/request-id.ts'
import { createRouter, isFor, type Route, type Router, wordsOf } from './http/router.ts'
import { type RoomOf, type WantedBytesMax, withoutBody } from './http/without-body.ts'
import { askForBody } from './sockets/admission.ts'

export interface AppOptions {
  /** By which names this gateway may be called, beside addresses and localhost. */
  readonly hosts?: readonly string[] | undefined
  /** Whose pages may use this gateway. */
  readonly corsOrigins?: readonly string[] | undefined
  /** Finds out who sends a request. Without it everyone may do everything. */
  readonly authenticator?: Pick<Authenticator, 'authenticate'> | undefined
  /** Requests that need no key: method and path. */
  readonly isOpen?: (request: IncomingMessage) => boolean
  /** Room for bodies that are not small. Without it they are not counted. */
  readonly roomOf?: RoomOf
  readonly log: Logger
  readonly random: () => number
}

export interface App {
  /** All routes. Publishing and tailing need node:http's request and response, and so a real connection. */
  readonly app: Router
  readonly listener: RequestListener
}

/** All routes behind the door. */
export function createApp(routes: readonly Route[], options: AppOptions): App {
  const { hosts, corsOrigins = [], authenticator, isOpen = () => false, roomOf, log, random } = options
  const app = createRouter(routes, log, random)
  const direct = routes.flatMap(directOf)
  const cors = corsOrigins.length === 0 ? undefined : createCors(corsOrigins)
  const door = createDoor({ hosts, words: wordsOf(routes), isListed: cors?.isListed })
  const listen = getRequestListener(app.fetch, { autoCleanupIncoming: false })
  const routed = withoutBody(
    (request, response) => {
      // The door has read it. Hono's server would refuse what is right, such as [::1:0], and a request without one.
      request.headers.host = 'gateway'
      response.setHeader(requestIdHeader, requestIdOf(request))
      void listen(request, response)
    },
    wantedBytesMaxOf(routes),
    roomOf,
  )
  const serve: RequestListener = (request, response) => {
    askForBody(request, response)
    // Nearly every request is POST /publish: it does not pay for being routed.
    const route = direct.find((one) => isFor(request, one))
    const listener = route?.listener ?? routed
    listener(request, response)
  }
  const admitted = authenticator === undefined ? serve : behindKeys(authenticator, isOpen, serve)
  return {
    app,
    listener: (request, response) => {
      cors?.allow(request, response)
      const refused = door(request) ?? cors?.preflight(request)
      if (refused !== undefined) sendEarly(response, refused)
      else admitted(request, response)
    },
  }
}

interface Direct extends Pick<Route, 'method' | 'path'> {
  readonly listener: RequestListener
}

function directOf({ method, path, direct }: Route): Direct[] {
  if (direct === undefined) return []
  const listener: RequestListener = (request, response) => void direct(request, response)
  return [{ method, path, listener: method === 'GET' ? withoutBody(listener) : listener }]
}

/** How large a body may be that its route reads. */
function wantedBytesMaxOf(routes: readonly Route[]): WantedBytesMax {
  const wanting = routes
    .filter(({ bodyBytesMax }) => bodyBytesMax !== undefined)
    .map(({ method, path, bodyBytesMax }) => ({
      method,
      path: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}(?:\\?|$)`),
      bodyBytesMax,
    }))
  return ({ method, url = '' }) =>
    wanting.find((route) => route.method === method && route.path.test(url))?.bodyBytesMax
}
