import type { Projection, ProjectionInfo, ProjectionKey } from './answers.ts'
import { type Connection, call, jsonOf, search } from './connection.ts'
import type { CallOptions } from './retry.ts'

export interface KeysQuery {
  readonly limit?: number
  /** Only keys behind this one. */
  readonly after?: string
}

export async function listProjections(connection: Connection, options: CallOptions = {}) {
  const answer = await call(connection, '/projections', { method: 'GET' }, options)
  return jsonOf<ProjectionInfo[]>(answer, Array.isArray)
}

/** The state; of a projection with keys, a page of them. */
export async function getProjection(
  connection: Connection,
  name: string,
  query: KeysQuery = {},
  options: CallOptions = {},
) {
  return jsonOf<Projection>(await projectionAnswer(connection, name, query, options), isProjection)
}

export async function getProjectionKey(
  connection: Connection,
  name: string,
  key: string,
  options: CallOptions = {},
) {
  return jsonOf<ProjectionKey>(await projectionKeyAnswer(connection, name, key, options), isProjection)
}

export const isProjection = (value: object): boolean => 'as_of' in value

/** The same as it comes, with the numbers that JSON.parse would round. */
export function projectionAnswer(
  connection: Connection,
  name: string,
  query: KeysQuery,
  options: CallOptions,
) {
  const path = `/projections/${encodeURIComponent(name)}${search(query)}`
  return call(connection, path, { method: 'GET' }, options)
}

export function projectionKeyAnswer(connection: Connection, name: string, key: string, options: CallOptions) {
  // Not in the path: there `.` and `..` go up.
  const path = `/projections/${encodeURIComponent(name)}${search({ key })}`
  return call(connection, path, { method: 'GET' }, options)
}

/** Begins to fold it anew, beside the live one, which it takes the place of when it has caught up. */
export async function rebuildProjection(connection: Connection, name: string, options: CallOptions = {}) {
  await call(connection, `/projections/${encodeURIComponent(name)}/rebuild`, { method: 'POST' }, options)
}
