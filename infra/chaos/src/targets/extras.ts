import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { startApp } from '@sekali/local/app-process'
import { programs } from '@sekali/local/repository'
import { freePort } from '@sekali/servers/free-port'
import { until } from '../clock.ts'
import { namesKeptMs } from './access.ts'
import type { Extra, Extras } from './target.ts'

const namesMax = 8
const startMs = 15_000

type Env = Readonly<Record<string, string>>
type App = 'consumer' | 'projector' | 'gateway' | 'dispatcher'

/** Processes that a fault starts beside those that are kept up. They end with the target. */
export function createExtras(
  logDir: string,
  envs: Readonly<Record<Exclude<App, 'dispatcher'>, Env> & Partial<Record<App, Env>>>,
): Extras & AsyncDisposable & { ended(): number; names(): number } {
  let count = 0
  let ended = 0
  const running = new Set<Extra>()
  const newNames = new Map<string, number>()

  async function start(name: string, app: App, more: Env): Promise<Extra> {
    const logName = `${name}-${count}`
    const env = { ...envs[app], ...more }
    const started = await startApp({ name: logName, program: programs[app], logDir, env })
    const log = () => readFile(join(logDir, `${logName}.log`), 'utf8').catch(() => '')
    const extra = extraOf(name, started, log, () => running.has(extra))
    running.add(extra)
    void extra.exited.then(() => {
      running.delete(extra)
      ended++
    })
    return extra
  }

  return {
    startProjector: (more) => {
      count++
      return start('extra-projector', 'projector', {
        PROJECTOR_NAME: `extra-${count % namesMax}`,
        ...more,
      })
    },
    startDispatcher: (more) => {
      count++
      const DISPATCHER_NAME = `extra-${count % namesMax}`
      return start('extra-dispatcher', 'dispatcher', { DISPATCHER_NAME, ...more })
    },
    async startConsumer(more, { isNew = false } = {}) {
      count++
      // A few names, used again and again, as those of pods are.
      const name = isNew ? `new-${count}` : `extra-${count % namesMax}`
      const extra = await start(name, 'consumer', { CONSUMER_NAME: name, ...more })
      if (isNew) void extra.exited.then(() => newNames.set(name, performance.now()))
      return extra
    },
    async startGateway(more) {
      count++
      const port = await freePort()
      const name = 'extra-gateway'
      const extra = await start(name, 'gateway', { ...more, PORT: String(port) })
      return { ...extra, url: await whenUp(name, `http://127.0.0.1:${port}`) }
    },
    ended: () => ended,
    names: () => {
      const recently = performance.now() - namesKeptMs
      return namesMax + [...newNames.values()].filter((at) => at > recently).length
    },
    [Symbol.asyncDispose]: async () => {
      const left = [...running]
      for (const extra of left) extra.signal('SIGKILL')
      await Promise.all(left.map(({ exited }) => exited))
    },
  }
}

const extraOf = (
  name: string,
  { pid, exited }: Pick<Extra, 'pid' | 'exited'>,
  log: Extra['log'],
  isRunning: () => boolean,
): Extra => ({
  pid,
  name,
  exited,
  hasEnded: () => !isRunning(),
  log,
  signal: (wish) => {
    if (isRunning()) send(pid, wish)
  },
})

/** The address of a gateway, once it answers. */
async function whenUp(name: string, url: string): Promise<string> {
  const isUp = async () => (await fetch(`${url}/healthz`)).status === 200
  if (!(await until(isUp, startMs))) throw new Error(`${name} did not come up`)
  return url
}

/** Signals a process that may have ended. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it was faster
  }
}
