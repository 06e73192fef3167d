import type { Server } from '@sekali/servers/server'
import { type Supervised, supervise } from '@sekali/servers/supervise'

/** A database server that the stack uses: one of its own that it keeps up, or one that was given. */
export interface Backend extends AsyncDisposable {
  readonly url: string
  /** Null while it is being restarted, and for one that is not ours. */
  pid(): number | null
}

export function givenBackend(url: string): Backend {
  return { url, pid: () => null, [Symbol.asyncDispose]: async () => {} }
}

/** Starts a server and keeps it up, always on the port it got first, so that its URL stays true. */
export async function ownBackend(
  start: (port: { port?: number }) => Promise<Server>,
  onChange: (reason?: string) => void,
): Promise<Backend> {
  let first: Server | undefined
  const again = async () => {
    const server = await start(first === undefined ? {} : { port: first.port })
    first ??= server
    return server
  }
  const server: Supervised<Server> = await supervise({ start: again, onChange })
  return {
    url: first?.url ?? '',
    pid: () => server.current()?.pid ?? null,
    [Symbol.asyncDispose]: server.stop,
  }
}
