import { Pool } from 'undici'

/** Connections to a server that are kept open, one for each request at a time, until the end of the scope. */
export function openPool(url: string, connections: number): Pool & AsyncDisposable {
  const pool = new Pool(url, { connections })
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.destroy() })
}
