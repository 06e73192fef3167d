import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidConfig, StoreUnavailable } from '@sekali/core/errors'
import { wholeNumber } from '@sekali/core/whole-number'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { commonEnv, databaseUrl, parseEnv, tracingEnv, urlOf } from '../src/start/env.ts'

/** Runs a few lines as a process of its own and returns what it printed and how it ended. */
async function runLines(lines: string, until?: { text: string; signals: NodeJS.Signals[]; everyMs: number }) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', lines], { cwd: import.meta.dirname })
  let output = ''
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  child.stdout.on('data', (chunk) => {
    output += chunk
    if (until === undefined || !output.includes(until.text)) return
    for (const [index, signal] of until.signals.splice(0).entries()) {
      setTimeout(() => child.kill(signal), index * until.everyMs)
    }
  })
  const [code] = await once(child, 'close')
  return { output, code }
}

test('the environment is parsed, and every variable that is wrong is named without its value', () => {
  const schema = v.object({ ...commonEnv, URL: urlOf('redis:'), N: wholeNumber(1, 9, 5), NEEDED: v.string() })
  expect(parseEnv(schema, { URL: 'redis://h', NEEDED: 'x' })).toMatchObject({ N: 5, REDIS_PREFIX: 'sekali' })
  const parse = () => parseEnv(schema, { URL: 'http://user:secret@h', N: '10' })
  expect(parse).toThrow(InvalidConfig)
  expect(parse).toThrow(/URL.*redis:\/\/.*N.*1 to 9.*NEEDED is not set/s)
  expect(parse).not.toThrow(/secret/)
})

const withUrls = v.object({ DATABASE_URL: urlOf('postgres:'), REDIS_URL: urlOf('redis:') })

async function secretFile(text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sekali-secret-'))
  const path = join(folder, 'url')
  await writeFile(path, text)
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

test('no collector is named by an empty variable, as docker compose sets it, nor by any that is no URL', () => {
  const endpoint = (OTEL_EXPORTER_OTLP_ENDPOINT?: string) =>
    parseEnv(v.object(tracingEnv), { OTEL_EXPORTER_OTLP_ENDPOINT }).OTEL_EXPORTER_OTLP_ENDPOINT
  expect([endpoint(), endpoint(''), endpoint('http://collector:4318')]).toEqual([
    undefined,
    undefined,
    'http://collector:4318',
  ])
  expect(() => endpoint('collector:4318')).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL/)
})

test('URLs with passwords are read from files, without the line break at the end', async () => {
  await using database = await secretFile('postgres://u:secret@h/db\n')
  await using redis = await secretFile('redis://u:secret@h\r\n')
  const env = { DATABASE_URL_FILE: database.path, REDIS_URL_FILE: redis.path }
  expect(parseEnv(withUrls, env)).toEqual({
    DATABASE_URL: 'postgres://u:secret@h/db',
    REDIS_URL: 'redis://u:secret@h',
  })
})

test('a URL of PostgreSQL may name several hosts, of which the primary is meant', () => {
  const parse = (url: string) => () =>
    parseEnv(v.object({ DATABASE_URL: databaseUrl }), { DATABASE_URL: url })
  const hosts = 'postgres://u:secret@h1:5432,h2:5433/db'
  for (const url of [
    hosts,
    `${hosts}?target_session_attrs=primary`,
    `${hosts}?target_session_attrs=read-write`,
  ]) {
    expect(parse(url)()).toMatchObject({ DATABASE_URL: url })
  }
  for (const [url, words] of [
    ['postgres://u:secret@h1:5432,h2:x/db', /^DATABASE_URL: must be a URL .*host1:5432,host2:5432/],
    ['http://u:secret@h1:5432,h2:5433/db', /^DATABASE_URL: must be a URL/],
    [
      `${hosts}?target_session_attrs=any`,
      /^DATABASE_URL: target_session_attrs must be primary or read-write/,
    ],
  ] as const) {
    expect(parse(url)).toThrow(words)
    expect(parse(url)).not.toThrow(/secret/)
  }
})

test.each([
  ['is no such URL', 'http://u:secret@h', /^DATABASE_URL_FILE: must be a URL that begins with postgres:\/\//],
  ['has two lines', 'postgres://u:secret@h/db\npostgres://u:secret@h/b', /^DATABASE_URL_FILE: .*one line/],
  ['is empty', '', /^DATABASE_URL_FILE: must be a URL/],
])('a file that %s is named by its variable, without what is in it', async (_, text, expected) => {
  await using file = await secretFile(text)
  const parse = () => parseEnv(withUrls, { DATABASE_URL_FILE: file.path, REDIS_URL: 'redis://h' })
  expect(parse).toThrow(InvalidConfig)
  expect(parse).toThrow(expected)
  expect(parse).not.toThrow(/secret@/)
})

test('a variable and its file are not both taken, and a file that cannot be read is named by its variable', async () => {
  await using file = await secretFile('redis://u:secret@h')
  const both = { REDIS_URL: 'redis://other:secret@h', REDIS_URL_FILE: file.path }
  const parse = (env: NodeJS.ProcessEnv) => () => parseEnv(withUrls, { DATABASE_URL: 'postgres://h', ...env })
  expect(parse(both)).toThrow(InvalidConfig)
  expect(parse(both)).toThrow(/REDIS_URL and REDIS_URL_FILE are both set/)
  expect(parse(both)).not.toThrow(/secret@/)
  expect(parse({ REDIS_URL_FILE: `${file.path}.gone` })).toThrow(
    /^REDIS_URL_FILE: .*cannot be read \(ENOENT\)/,
  )
  expect(parse({ REDIS_URL_FILE: '' })).toThrow(/^REDIS_URL_FILE: .*cannot be read \(ENOENT\)/)
  await chmod(file.path, 0)
  if (process.getuid?.() !== 0) expect(parse({ REDIS_URL_FILE: file.path })).toThrow(/EACCES/)
})

test('a variable that is no secret has no file, and a secret that is nowhere is not set', () => {
  expect(() => parseEnv(withUrls, {})).toThrow(/^DATABASE_URL is not set; REDIS_URL is not set$/)
  expect(parseEnv(v.object(commonEnv), { LOG_LEVEL_FILE: '/nowhere' })).toMatchObject({ LOG_LEVEL: 'info' })
})

test('a log line about an error has its name, code and cause, and no foreign message, which may hold a payload', async () => {
  const { output } = await runLines(`
    import { createLog } from '../src/start/log.ts'
    const cause = Object.assign(new Error('Failed query: insert secret-payload'), { code: '22P02' })
    createLog('test').warn({ err: new Error('outer secret-payload', { cause }) }, 'it failed')`)
  expect(JSON.parse(output)).toMatchObject({ msg: 'it failed', err: { cause: { code: '22P02' } } })
  expect(output).not.toContain('secret-payload')
})

test('our own errors say in the log what they mean', async () => {
  const { output } = await runLines(`
    import { createLog } from '../src/start/log.ts'
    import { StoreUnavailable } from '@sekali/core/errors'
    createLog('test').warn({ err: new StoreUnavailable('read failed') }, 'it failed')`)
  const { code } = new StoreUnavailable('')
  expect(JSON.parse(output).err).toEqual({ name: 'StoreUnavailable', code, message: 'read failed' })
})

const untilSignalled = `
  import { shutdownSignal } from '../src/start/shutdown.ts'
  const signal = shutdownSignal()
  const alive = setInterval(() => {}, 1000)
  signal.addEventListener('abort', () => {
    console.log('draining')
    setTimeout(() => { clearInterval(alive); process.exitCode = 0; process.exit() }, 1500)
  })
  console.log('running')`

test('the first signal drains, and the same Ctrl-C arriving twice is still the first', async () => {
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGINT']
  const ended = await runLines(untilSignalled, { text: 'running', signals, everyMs: 50 })
  expect(ended).toMatchObject({ code: 0, output: expect.stringContaining('draining') })
})

test('a second signal forces', async () => {
  const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGTERM']
  const ended = await runLines(untilSignalled, { text: 'running', signals, everyMs: 800 })
  expect(ended).toMatchObject({ code: 1, output: expect.stringContaining('draining') })
})

test('a second Ctrl-C that arrives twice is no third', async () => {
  const lines = `
    import { shutdownSignal } from '../src/start/shutdown.ts'
    let forced = 0
    shutdownSignal(undefined, () => { forced += 1 })
    const press = () => process.kill(process.pid, 'SIGINT')
    const pressTwice = () => { press(); setTimeout(press, 50) }
    pressTwice()
    setTimeout(pressTwice, 800)
    setTimeout(() => { console.log('forced', forced); process.exit() }, 1_000)`
  expect(await runLines(lines)).toMatchObject({ output: expect.stringContaining('forced 1') })
})

test('a process goes on when its log cannot be written, and logs again when it can', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sekali-log-'))
  const lines = `
    import { closeSync, openSync } from 'node:fs'
    import { createLog } from '../src/start/log.ts'
    const log = createLog('test')
    for (let n = 0; n < 5_000; n++) log.info({ n, text: 'x'.repeat(100) }, 'lost')
    closeSync(1)
    if (openSync('${folder}/log', 'a') !== 1) throw new Error('another descriptor')
    log.info({ text: 'x'.repeat(1_000) }, 'again')
    log.info('and again')`
  const full = await open('/dev/full', 'a')
  const child = spawn(process.execPath, ['--input-type=module', '-e', lines], {
    cwd: import.meta.dirname,
    stdio: ['ignore', full.fd, 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  const [code] = await once(child, 'close')
  await full.close()
  expect({ code, said }).toEqual({ code: 0, said: '' })
  const logged = (await readFile(join(folder, 'log'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  await rm(folder, { recursive: true })
  expect(logged).toMatchObject([
    { level: 40, name: 'test', dropped: 5_000, msg: expect.stringContaining('dropped') },
    { msg: 'again' },
    { msg: 'and again' },
  ])
})

test('half a line, for which there was no more room, spoils no other line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sekali-log-'))
  const file = join(folder, 'log')
  const lines = `
    import { truncateSync } from 'node:fs'
    import { createLog } from '../src/start/log.ts'
    const log = createLog('test')
    for (let n = 0; n < 100; n++) log.info({ text: 'x'.repeat(100) }, 'lost')
    truncateSync('${file}')
    log.info('again')`
  // A file may have no more than so many blocks. Without the trap, the one that has ends its process.
  const script = `trap '' XFSZ; ulimit -f 8; exec "$@" >> ${file}`
  const node = [process.execPath, '--input-type=module', '-e', lines]
  const child = spawn('sh', ['-c', script, 'sh', ...node], { cwd: import.meta.dirname, stdio: 'ignore' })
  const [code] = await once(child, 'close')
  const written = await readFile(file, 'utf8')
  await rm(folder, { recursive: true })
  expect(code).toBe(0)
  expect(written).toMatch(/^\n\{[^\n]*"dropped":\d+[^\n]*\}\n\{[^\n]*"msg":"again"\}\n$/)
})

test('settings that cannot work end a process with 2 and one line that says which', async () => {
  const { output, code } = await runLines(`
    import { run } from '../src/start/run.ts'
    import { InvalidConfig } from '@sekali/core/errors'
    await run('test', async () => { throw new InvalidConfig('PORT must be a number') })`)
  expect(code).toBe(2)
  expect(JSON.parse(output).msg).toContain('PORT must be a number')
})
