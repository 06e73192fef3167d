/** HAProxy as Debian has it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@sekali/servers/free-port'
import { ownFolder } from '@sekali/testkit/servers'

/** Starts one; it may not listen yet. It says what is wrong with the configuration where this process does. */
export async function startHaproxy(configuration: string): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const { path: folder } = stack.use(await ownFolder())
  const file = join(folder, 'haproxy.cfg')
  await writeFile(file, configuration)
  const proxy = spawn('/usr/sbin/haproxy', ['-db', '-q', '-f', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(proxy, 'exit')
  stack.defer(async () => {
    proxy.kill('SIGKILL')
    await exited
  })
  return stack.move()
}

/** Throws when it is not there, so that the file cannot drift from this. */
export function replaced(text: string, from: RegExp, to: string): string {
  if (!from.test(text)) throw new Error(`the configuration has no ${from}`)
  return text.replace(from, to)
}

/** The edge of docker compose in front of these; it may not listen yet. */
export async function startEdge(
  hosts: readonly string[],
): Promise<AsyncDisposable & { readonly url: string }> {
  const file = new URL('../../../infra/docker/haproxy.cfg', import.meta.url)
  const door = `127.0.0.1:${await freePort()}`
  const servers = hosts.map((host, index) => `  server gateway${index + 1} ${host}`).join('\n')
  const listening = replaced(await readFile(file, 'utf8'), /bind :8080/, `bind ${door}`)
  const proxy = await startHaproxy(replaced(listening, /^ +server-template .*$/gm, servers))
  return { url: `http://${door}`, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() }
}
