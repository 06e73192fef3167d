import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startApp } from '@sekali/local/app-process'
import { waitReady } from '@sekali/local/readiness'
import { freePort } from '@sekali/servers/free-port'
import type { Runnable } from '@sekali/servers/supervise'
import type { Bench } from './bench.ts'

/** A rival that serves HTTP, as a file of this room. */
export const rivals = {
  report: fileURLToPath(new URL('../rivals/report-system.ts', import.meta.url)),
  bareHttp: fileURLToPath(new URL('../rivals/bare-http.ts', import.meta.url)),
} as const

/** Starts a program that serves HTTP and waits until its /readyz says 200. Disposing stops it. */
export async function startServing(
  bench: Bench,
  name: string,
  program: string,
  env: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { readonly url: string; readonly pid: number }> {
  const port = await freePort()
  const { logDir, signal } = bench
  const app = await startApp({ name, program, logDir, env: { ...bench.appEnv, ...env, PORT: String(port) } })
  await using unlessReady = new AsyncDisposableStack()
  unlessReady.defer(app.stop)
  const url = `http://127.0.0.1:${port}`
  await waitReady(url, join(logDir, `${name}.log`), signal)
  unlessReady.move()
  return { url, pid: app.pid, [Symbol.asyncDispose]: app.stop }
}

/** Starts a program that serves nothing. */
export const startWorking = (
  { logDir, appEnv }: Bench,
  name: string,
  program: string,
  env: Readonly<Record<string, string>>,
): Promise<Runnable> => startApp({ name, program, logDir, env: { ...appEnv, ...env } })
