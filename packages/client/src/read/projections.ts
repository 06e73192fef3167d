import type { Projection, ProjectionInfo, ProjectionKey } from '../answers.ts'
import { checkQuery, requireText } from '../arguments.ts'
import { type Connection, call, jsonOf, search } from '../connection/connection.ts'
import type { CallOptions } from '../connection/retry.ts'

export interface AsOfOptions extends CallOptions {
  /** Whether `as_of` is wanted: always, or never. If it is not said, it comes for up to 1,000 topics. */
  readonly asOf?: boolean
}

export interface KeysQuery {
  readonly limit?: number
  /** Only keys behind this one. */
  readonly after?: string
}

export async function listProjections(connection: Connection, options: AsOfOptions = {}) {
  const answer = await call(
    connection,
    `/projections${search({ as_of: options.asOf })}`,
    { method: 'GET' },
    options,
  )
  return jsonOf<ProjectionInfo[]>(answer, Array.isArray)
}

/** The state; of a projection with keys, a page of them. */
export async function getProjection<State = unknown>(
  connection: Connection,
  name: string,
  query: KeysQuery = {},
  options: AsOfOptions = {},
) {
  return jsonOf<Projection<State>>(await projectionAnswer(connection, name, query, options), isProjection)
}

export async function getProjectionKey<State = unknown>(
  connection: Connection,
  name: string,
  key: string,
  options: AsOfOptions = {},
) {
  return jsonOf<ProjectionKey<State>>(await projectionKeyAnswer(connection, name, key, options), isProjection)
}

export const isProjection = (value: object): boolean => 'as_of' in value

/** The same as it comes, with the numbers that JSON.parse would round. */
export async function projectionAnswer(
  connection: Connection,
  name: string,
  query: KeysQuery,
  options: AsOfOptions,
) {
  requireText('name', name)
  checkQuery(query)
  const path = `/projections/${encodeURIComponent(name)}${search({ ...query, as_of: options.asOf })}`
  return call(connection, path, { method: 'GET' }, options)
}

export async function projectionKeyAnswer(
  connection: Connection,
  name: string,
  key: string,
  options: AsOfOptions,
) {
  requireText('name', name)
  requireText('key', key)
  // Not in the path: there `.` and `..` go up.
  const path = `/projections/${encodeURIComponent(name)}${search({ key, as_of: options.asOf })}`
  return call(connection, path, { method: 'GET' }, options)
}

/** Begins to fold it anew, beside the live one, which it takes the place of when it has caught up. */
export async function rebuildProjection(connection: Connection, name: string, options: CallOptions = {}) {
  requireText('name', name)
  await call(connection, `/projections/${encodeURIComponent(name)}/rebuild`, { method: 'POST' }, options)
}
