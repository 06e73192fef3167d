/**
 * The project of docker-compose.yml, which must be up. What `npm start` has a supervisor for is done with Docker: a part
 * that is killed is started again, as an orchestrator would. Redis and PostgreSQL are asked through their own tools
 * inside of their containers, because nothing but the door has a port.
 */
import { ServerFailed } from '@sekali/servers/errors'
import { pause } from '../clock.ts'
import { asTexts, namesKeptMs } from './access.ts'
import { docker, follow } from './docker.ts'
import type { Networks, Part, PartKind, Processes, RedisAccess, SqlAccess, Target } from './target.ts'

const kinds: Record<string, PartKind> = {
  gateway: 'gateway',
  consumer: 'consumer',
  projector: 'projector',
  redis: 'redis',
  postgres: 'postgres',
}
const restartAfterMs = 500
/** Fifteen seconds for Sekali, and as much again for Docker to start seven containers at once. */
const recoveryMsMax = 30_000

export async function connectCompose() {
  const project = await projectName()
  const consumers = (await partsOf(project)).filter(({ kind }) => kind === 'consumer')
  if (consumers.length === 0) throw new ServerFailed('The project does not run: docker compose up --build -d')
  const port = (await docker(['compose', 'port', 'edge', '8080'])).trim().split(':').at(-1)
  const url = `http://127.0.0.1:${port}`

  const own = new Set<string>()
  const ended: string[] = []
  const starts: number[] = []
  let kills = 0
  const label = `label=com.docker.compose.project=${project}`
  const events = follow(
    ['events', '--filter', label, '--filter', 'event=die', '--format', '{{.Actor.Attributes.name}}'],
    (name) => {
      if (!own.delete(name)) ended.push(`${name} ended by itself`)
    },
  )

  async function end(part: Part, how: 'kill' | 'stop'): Promise<void> {
    own.add(part.name)
    if (how === 'kill') kills++
    if (part.kind === 'consumer') starts.push(performance.now())
    await docker([how, part.name])
    // Not waited for: whoever kills several kills them at once.
    void pause(restartAfterMs)
      .then(() => docker(['start', part.name]))
      .catch((error: Error) => ended.push(`${part.name} could not be started again: ${error.message}`))
  }

  return {
    name: 'compose',
    recoveryMsMax,
    url,
    quietUrl: url,
    processes: processesOf(project, end),
    networks: networksOf(project),
    redis: accessRedis(),
    sql: accessSql(),
    kills: () => kills,
    strayNames: () => starts.filter((at) => at > performance.now() - namesKeptMs).length,
    ended: () => ended,
    logged: linesOf,
    [Symbol.asyncDispose]: async () => events[Symbol.dispose](),
  } satisfies Target
}

const startedAt = Date.now()

/** `end` ends a part, which comes back. */
function processesOf(project: string, end: (part: Part, how: 'kill' | 'stop') => Promise<void>): Processes {
  const containerOf = async ({ name, kind }: Part): Promise<string> =>
    name === kind ? ((await partsOf(project)).find((part) => part.kind === kind)?.name ?? name) : name
  return {
    parts: () => partsOf(project),
    signal: async (part, name) => {
      if (name === 'SIGKILL') return await end(part, 'kill')
      if (name === 'SIGTERM') return await end(part, 'stop')
      const command = name === 'SIGSTOP' ? 'pause' : 'unpause'
      await docker([command, await containerOf(part)]).catch((error: Error) => {
        if (!/already paused|is not paused/.test(error.message)) throw error
      })
    },
    memoryKb,
  }
}

async function linesOf(words: RegExp, sinceMs: number): Promise<string[]> {
  const since = ['--since', new Date(sinceMs || startedAt).toISOString()]
  const apps = ['gateway', 'consumer', 'projector']
  const said = await docker(['compose', 'logs', '--no-log-prefix', ...since, ...apps])
  return said.split('\n').filter((line) => words.test(line))
}

async function projectName(): Promise<string> {
  return (JSON.parse(await docker(['compose', 'config', '--format', 'json'])) as { name: string }).name
}

async function partsOf(project: string): Promise<Part[]> {
  const form = '{{.Names}}\t{{.Label "com.docker.compose.service"}}'
  const label = `label=com.docker.compose.project=${project}`
  const lines = (await docker(['ps', '--filter', label, '--format', form])).trim().split('\n').filter(Boolean)
  const found = lines.flatMap((line) => {
    const [name = '', service = ''] = line.split('\t')
    const kind = kinds[service]
    return kind === undefined ? [] : [{ name, kind }]
  })
  if (found.length === 0) return []
  const pids = await docker(['inspect', '--format', '{{.State.Pid}}', ...found.map(({ name }) => name)])
  return found.map((part, at) => ({ ...part, pid: Number(pids.split('\n')[at]) }))
}

async function memoryKb({ name }: Part): Promise<number | undefined> {
  const used = await docker(['stats', '--no-stream', '--format', '{{.MemUsage}}', name])
  const [, number, unit = ''] = /^([\d.]+)([KMG]iB)/.exec(used) ?? []
  const factor = { KiB: 1, MiB: 1_024, GiB: 1_024 ** 2 }[unit]
  return factor && Number(number) * factor
}

function networksOf(project: string): Networks {
  const inside = `${project}_inside`
  return {
    disconnect: async ({ name }) => void (await docker(['network', 'disconnect', inside, name])),
    connect: async ({ name, kind }) =>
      void (await docker(['network', 'connect', '--alias', kind, inside, name])),
  }
}

function accessRedis(): RedisAccess {
  const password = '"$(cat /run/secrets/redis_operator_password)"'
  const operator = `exec redis-cli --user operator --pass ${password} --no-auth-warning -2 -e --json "$@"`
  return {
    prefix: 'sekali',
    call: async (...args) => {
      const said = await docker([
        'compose',
        'exec',
        '-T',
        'redis',
        'sh',
        '-c',
        operator,
        'sh',
        ...args.map(String),
      ])
      // CLIENT LIST is text whatever one asks for.
      return /^(id=|#)/.test(said) ? said : JSON.parse(said)
    },
  }
}

function accessSql(): SqlAccess {
  const psql = ['psql', '-qAt', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'sekali', '-f', '-']
  return {
    rows: async (query) => {
      const asJson = `SELECT coalesce(json_agg(row_to_json(q)), '[]') FROM (${query}) q`
      const said = await docker(['compose', 'exec', '-T', 'postgres', ...psql], asJson)
      return (JSON.parse(said) as Record<string, unknown>[]).map(asTexts)
    },
  }
}
