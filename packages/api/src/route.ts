/**
 * What a route is. One row of the table says all there is to say of a route to a client, so that nothing is said twice:
 *
 * - the gateway routes by `method` and `path`, asks for `scope`, and parses the query by `request.query`
 * - the OpenAPI description is made of all of it
 * - docs/http-api.md and the help of the command line get their words here
 * - the tests hold every answer that a gateway gives against `answers` and `problems`
 *
 * A new route is a call of {@link defineRoute} in a file of table/, its name in the list of routes.ts, and a handler in the
 * gateway. What is missing does not compile.
 */
import type { Scope } from '@sekali/core/access'
import type * as v from 'valibot'
import type { Headers } from './headers.ts'
import type { ProblemCode, Status } from './problems.ts'

/** A route of the HTTP API, as a client knows it. Whoever serves it adds the handler. */
export interface RouteSpec {
  /** One word of its own, in camelCase: what the route is called in OpenAPI, in logs and in code. */
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS'
  /** As Hono writes it: `:name` is one segment, `:key{[^]+}` is the rest of the path. */
  readonly path: string
  /** What a key must be allowed to do; `any` takes a key, whatever it may do; `none` is for everyone, also without one. */
  readonly scope: Scope | 'any' | 'none'
  readonly tag: Tag
  /** In a line, without a full stop, for those who look for a route. */
  readonly summary: string
  /** In sentences: what the schemas do not say. */
  readonly description: string
  readonly request: RequestSpec
  /** All answers but problems. The first is the one to the request that `request` has as its example. */
  readonly answers: readonly [Answer, ...Answer[]]
  /** What can go wrong here, beside what can go wrong everywhere (see problems-of.ts). */
  readonly problems: readonly Problem[]
}

/** Under which a route is listed. */
export type Tag =
  | 'publish'
  | 'read'
  | 'projections'
  | 'subscriptions'
  | 'letters'
  | 'operate'
  | 'keys'
  | 'console'

export interface RequestSpec {
  /** One for each `:name` of the path. */
  readonly path?: Parameters
  /** Its schemas parse what comes. A name that is not here is refused. */
  readonly query?: Parameters
  /** Headers that change the answer. */
  readonly headers?: Parameters
  /** The media types that are taken, if the route takes a body. */
  readonly bodies?: readonly [Body, ...Body[]]
}

export type Parameters = Readonly<Record<string, Parameter>>

export interface Parameter {
  /** Of the text that comes. What JSON Schema cannot know of it is in its metadata. */
  readonly schema: v.GenericSchema
  readonly description: string
  /** As it comes, decoded. */
  readonly example: string
}

export interface Body {
  readonly mediaType: 'application/json' | 'application/x-ndjson'
  /** Of the body; of one line, if it is lines. */
  readonly schema: v.GenericSchema
  /** A body that is taken; of lines, one line. */
  readonly example: unknown
}

/** What the files of the console are. */
export type FileType =
  | 'text/html; charset=utf-8'
  | 'text/javascript; charset=utf-8'
  | 'text/css; charset=utf-8'
  | 'image/svg+xml'

export type Answer = AnswerWithBody | AnswerWithoutBody

interface AnswerWithoutBody {
  readonly status: number
  /** When this is the answer, in a sentence. */
  readonly description: string
  readonly headers?: Headers
}

interface AnswerWithBody extends AnswerWithoutBody {
  readonly mediaType: 'application/json' | 'application/x-ndjson' | 'text/event-stream' | FileType
  /** Of the body; of one line, if it is lines; of the data of one event, if it is a stream of them; of the text of a file. */
  readonly schema: v.GenericSchema
  readonly example: unknown
}

/** A code, with its usual status or with another. */
export type Problem = ProblemCode | { readonly code: ProblemCode; readonly status: Status }

/** A row of the table. The row keeps its own types, so that whoever parses a query has what its schemas give. */
export const defineRoute = <const R extends RouteSpec>(route: R): R => route
