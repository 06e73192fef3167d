/** What a definition can reach of the projector's and of the machine's: nothing. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { createLog, type Logger } from '@sekali/process/log'
import { eventually } from '@sekali/testkit/eventually'
import { ownFolder } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { createStarter } from '../src/confined/fold-process.ts'
import { attempts, limitsFile } from './attempts.ts'
import { numbered, ownStack } from './stack.ts'

const startMs = 30_000

/** Modules of Node's that reach out, or to others of Node's, by other names. */
const unlisted = [
  ...[
    '_http_client',
    '_http_agent',
    '_tls_wrap',
    'node:sqlite',
    'node:os',
    'os',
    'trace_events',
    'node:test',
  ],
  ...[
    'fs/promises',
    'node:async_hooks',
    'diagnostics_channel',
    'node:sea',
    'node:stream',
    'v8',
    'perf_hooks',
  ],
]

test.concurrent('a definition sees no environment and no file of others, starts nothing, writes nothing and calls nobody', async () => {
  await using stack = await ownStack()
  const heard: string[] = []
  const server = createServer(() => heard.push('a call')).listen(0, '127.0.0.1')
  await using _server = { [Symbol.asyncDispose]: async () => void server.close() }
  await eventually(() => expect(server.address()).toBeTruthy())
  const { port } = server.address() as { port: number }
  const texts = {
    passwd: `return (await import('node:fs')).readFileSync('/etc/passwd', 'utf8')`,
    environ: `return (await import('node:fs')).readFileSync('/proc/self/environ', 'utf8')`,
    parent: `return (await import('node:fs')).readFileSync('/proc/' + process.ppid + '/environ', 'utf8')`,
    write: `return (await import('node:fs')).writeFileSync(import.meta.dirname + '/mine', 'x')`,
    program: `return (await import('node:child_process')).execSync('id')`,
    worker: `return new (await import('node:worker_threads')).Worker('1', { eval: true })`,
    module: `return process.getBuiltinModule('node:net').connect(${port}, '127.0.0.1')`,
    net: `return (await import('node:net')).connect(${port}, '127.0.0.1')`,
    fetch: `return (await fetch('http://127.0.0.1:${port}')).status`,
    dispatcher: `new Response(''); return Object.getOwnPropertySymbols(globalThis).map(String).filter((name) => /undici/.test(name))`,
    signal: `return process.kill(process.ppid, 'SIGTERM')`,
    others: `return Object.keys(await import('${limitsFile}'))`,
    names: `const names = ['getBuiltinModule', 'kill', 'dlopen', 'binding', 'send', '_send', 'channel', '_getActiveHandles']
      const all = { ...(await import('node:process')), ...(await import('process')).default }
      const found = names.filter((name) => typeof all[name] === 'function' || all[name]?.ref)
      if (found.length === 0) throw new Error('none')
      return found`,
    ...Object.fromEntries(
      unlisted.map((name) => [name, `return Object.keys(await import('${name}')).length`] as const),
    ),
    open: `const { readSync, writeSync } = await import('node:fs'); return [readSync.name, writeSync.name]`,
    channel: `return (await import('node:fs')).readFileSync(3)`,
    socket: `return process.stderr.constructor.prototype.connect.name`,
  }
  const environment = `export const env = defineProjection({ name: 'env', topics: 'orders.>', initial: '',
    apply: () => Object.keys(process.env).join() })`
  await stack.define('spy.ts', attempts('spy', texts))
  await stack.define('env.ts', environment)
  await stack.append(numbered('orders.eu', 3))
  await using projector = stack.projector('p')
  await stack.level('spy')
  await stack.level('env')
  const refused = Object.fromEntries(Object.keys(texts).map((what) => [what, 'refused']))
  expect((await stack.states('spy'))[''], projector.output()).toEqual(refused)
  expect((await stack.states('env'))['']).toBe('')
  expect(heard).toEqual([])
})

test.concurrent('how much memory definitions may take changes nothing of what they are kept from', async () => {
  const wallsWith = async (memoryMb: number) => {
    await using folder = await ownFolder()
    const said: unknown[] = []
    const info = (walls: object, text: string) => said.push({ ...walls, text })
    const start = createStarter({ dir: folder.path, memoryMb }, {
      ...createLog('test', 'silent'),
      info,
    } as unknown as Logger)
    await (await start()).end()
    return said
  }
  const [least, most] = await Promise.all([wallsWith(64), wallsWith(4_096)])
  expect(least).toHaveLength(1)
  expect(least).toEqual(most)
})

test.concurrent('the process of a projector that is killed ends with it, also in an endless loop', async () => {
  await using stack = await ownStack()
  await stack.define('loop.ts', 'for (;;);')
  await using projector = stack.projector('p', { IMPORT_MS: '10000' })
  const children = await eventually(async () => {
    const found = await descendants(projector.pid)
    expect(await busiest(found)).toBeGreaterThan(100)
    return found
  }, startMs)
  projector.signal('SIGKILL')
  await eventually(async () => expect((await Promise.all(children.map(statOf))).filter(Boolean)).toEqual([]))
})

/** The fields of /proc/PID/stat behind the name; undefined of a process that has ended. */
async function statOf(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return text === '' || fields[0] === 'Z' ? undefined : fields
}

async function descendants(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const children = text.split(' ').filter(Boolean).map(Number)
  return [...children, ...(await Promise.all(children.map(descendants))).flat()]
}

/** Hundredths of a second of processor time. */
const busiest = async (pids: readonly number[]): Promise<number> =>
  Math.max(...(await Promise.all(pids.map(statOf))).map((fields) => Number(fields?.[11] ?? 0)))
