/** Endpoints by the command line, and requests that were received. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connectStore } from '@sekali/store/connect'
import { quiet } from '@sekali/testkit/quiet'
import { ownFolder } from '@sekali/testkit/servers'
import { isSecret, newSecret, sign, signingKeyOf } from '@sekali/webhook/sign'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, start } from './command.ts'
import { ownSystem, type System } from './system.ts'

const stack = new AsyncDisposableStack()
let system: System
let folder: string
beforeAll(async () => {
  system = stack.use(await ownSystem({ env: { WEBHOOK_KEY: '5a'.repeat(32), WEBHOOK_ALLOW: '127.0.0.0/8' } }))
  folder = stack.use(await ownFolder()).path
})
afterAll(() => stack.disposeAsync())

const subscription = (...args: string[]) => run(['subscription', ...args], system.url)
const create = (name: string, ...more: string[]) =>
  subscription('create', name, '--topics', 'sent', '--to', 'http://127.0.0.1:9/hooks', ...more)

test('an endpoint is made with a secret that goes alone to its place, and is changed without one', async () => {
  const made = await create('shown')
  expect(made.code).toBe(0)
  expect(isSecret(made.out.trimEnd())).toBe(true)
  expect(made.err).toBe(
    'shown sends sent to http://127.0.0.1:9/hooks; what its requests are signed with: it is shown this once\n',
  )
  const file = join(folder, 'kept.secret')
  const headers = join(folder, 'headers')
  await writeFile(headers, 'Authorization: Bearer tr0ub4dor\n\nX-Shop: eu\n')
  const kept = await create(
    'kept',
    '--out',
    file,
    '-H',
    `@${headers}`,
    '-H',
    'X-More: 1',
    '--retry',
    '1,2',
    '--json',
  )
  expect(isSecret((await readFile(file, 'utf8')).trimEnd())).toBe(true)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(JSON.parse(kept.out)).toMatchObject({
    ...{ kind: 'push', name: 'kept', retry_s: [1, 2], header_names: ['Authorization', 'X-More', 'X-Shop'] },
  })
  expect(kept.out + kept.err).not.toMatch(/whsec_|tr0ub4dor/)
  const again = await create('kept', '--concurrency', '3', '--batch-max', '20', '--out', file)
  expect([again.code, again.out, again.err]).toEqual([
    0,
    '',
    'kept sends sent to http://127.0.0.1:9/hooks; it was there before, and keeps its secrets\n',
  ])
  const other = await create('other', '--out', file)
  expect([other.code, other.err]).toEqual([2, expect.stringContaining('name another file')])
  const { out } = await subscription('show', 'kept')
  expect(out).toMatch(/^kept sends sent to http:\/\/127\.0\.0\.1:9\/hooks\n {2}order +none\n/)
  expect(out).toMatch(/\n {2}success +nothing was tried in a day\n/)
  expect(out).toMatch(/\n {2}requests +3 at a time of up to 20 events, 15 seconds each\n/)
  const { out: listed } = await subscription('list')
  expect(listed).toMatch(/^kept +sent +active +0 /m)
})

test.each<[words: string, args: string[]]>([
  ['--lease is for workers that pull: leave it out, or --to', ['--to', 'https://a.example', '--lease', '5']],
  ['--timeout needs --to', ['--timeout', '5']],
  ['--batch-max needs --to', ['--batch-max', '5']],
  ['from 1 to 500', ['--to', 'https://a.example', '--batch-max', '501']],
  ['--on-exhausted stop needs --to: say skip or block', ['--on-exhausted', 'stop']],
  [
    "It must be a name and a value, such as 'Authorization: Bearer …'",
    ['--to', 'https://a.example', '-H', 'secret'],
  ],
])('what makes no sense is a mistake, and no value is shown: %s', async (words, args) => {
  const refused = await subscription('create', 'none', '--topics', 'sent', ...args)
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining(words)])
})

test('an address that is not public is refused with what allows it', async () => {
  const refused = await subscription('create', 'none', '--topics', 'sent', '--to', 'https://10.0.0.1/')
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('WEBHOOK_ALLOW')])
})

test('secrets are listed without their texts, rotated and deleted', async () => {
  await create('turned')
  const file = join(folder, 'turned.secret')
  const rotated = await subscription('secrets', 'turned', '--rotate', '--out', file)
  expect([rotated.code, rotated.out]).toEqual([0, ''])
  expect(rotated.err).toMatch(
    /^secret (\d+) of turned signs from now on, the others for 24 h; .*turned\.secret has it/,
  )
  expect(isSecret((await readFile(file, 'utf8')).trimEnd())).toBe(true)
  const listed = (await subscription('secrets', 'turned')).out.trim().split('\n')
  expect(listed.map((line) => line.split(/ {2,}/).length)).toEqual([4, 4, 4])
  const [, , old] = listed.map((line) => line.split(' ')[0] ?? '')
  expect((await subscription('secrets', 'turned', '--delete', String(old))).out).toBe(
    `secret ${old} of turned is deleted\n`,
  )
  const newest = listed[1]?.split(' ')[0] ?? ''
  expect(await subscription('secrets', 'turned', '--delete', newest)).toMatchObject({
    code: 1,
    err: expect.stringContaining('it is the only secret'),
  })
  expect((await subscription('secrets', 'turned', '--rotate', '--delete', '1')).code).toBe(2)
})

test('attempts are listed, and what is not there is not sent again', async () => {
  const event = { topic: 'sent', event_id: 'e1', timestamp: '2026-01-01T00:00:00Z', source: 's', payload: {} }
  await run(['publish'], system.url, JSON.stringify(event))
  await create('tried', '--from', 'start')
  expect((await subscription('attempts', 'tried')).out).toBe('no attempts\n')
  await using store = connectStore({ url: system.databaseUrl, poolMax: 1, name: 'test' }, quiet)
  await store.pool.query(`INSERT INTO subscriptions.attempts
      (subscription, at, kind, attempt, state, status, error, duration_ms, request, response, response_body, is_cut, retry_in_s)
    SELECT id, '2026-01-01T00:00:00Z', 'test', 1, 'failed', NULL, 'timeout', 1000, '{"url":"http://a","headers":{}}', NULL, NULL, false, NULL
    FROM subscriptions.subscriptions WHERE name = 'tried'`)
  const [head, row] = (await subscription('attempts', 'tried')).out.split('\n')
  expect(head).toMatch(/^id +at +event +attempt +answer +ms +again$/)
  expect(row).toMatch(/^\d+ +2026-01-01T00:00:00Z +test +1 +timeout +1,000$/)
  expect(await subscription('retry', 'tried', 'sent', '99')).toMatchObject({
    code: 1,
    err: expect.stringContaining('the subscription has no such event'),
  })
  expect(await subscription('retry', 'tried', 'sent', 'last')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/'seq'.* whole number/),
  })
})

const body = '{"type":"orders","data":{"total": 12.50}}'
const secret = newSecret()

/** As it came over the wire, with lines that are none of ours. */
function headersOf(timestampSeconds: number, secrets = [secret]): string {
  const signature = sign({ id: 'evt_1', timestampSeconds, body }, secrets.map(signingKeyOf))
  return `POST /hooks HTTP/1.1\r\nHost: a\r\nWebhook-Id: evt_1\r\nwebhook-timestamp: ${timestampSeconds}\r\nWebhook-Signature: ${signature}\r\n`
}

async function verified(
  headers: string,
  { input = body, secrets = secret, args = [] as readonly string[] } = {},
) {
  const file = join(folder, 'received')
  await writeFile(file, headers)
  await using command = start(['webhook', 'verify', '-H', `@${file}`, ...args], { WEBHOOK_SECRET: secrets })
  command.child.stdin?.end(input)
  return await command.ended
}

test('a body that was received is held against its headers and the secret: 0 if it is ours, 1 and why if not', async () => {
  const now = Math.floor(Date.now() / 1_000)
  expect(await verified(headersOf(now))).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^valid: evt_1, signed \d s ago\n$/),
  })
  const rotated = headersOf(now, [newSecret(), secret])
  expect((await verified(rotated)).code).toBe(0)
  expect((await verified(headersOf(now), { secrets: `${newSecret()} ${secret}` })).code).toBe(0)
  const wrong: [Awaited<ReturnType<typeof verified>>, string][] = [
    [await verified(headersOf(now), { input: `${body} ` }), 'no signature fits'],
    [await verified(headersOf(now), { secrets: newSecret() }), 'no signature fits'],
    [await verified(headersOf(now - 400)), 'signed longer ago than the tolerance'],
    [await verified(headersOf(now + 400)), 'signed in the future'],
    [await verified(headersOf(now).replace(/v1,/, 'v9,')), 'v1,… in base64'],
  ]
  for (const [{ code, out }, words] of wrong) {
    expect([code, out]).toEqual([1, expect.stringContaining(words)])
  }
  expect((await verified(headersOf(now - 400), { args: ['--tolerance', '500'] })).code).toBe(0)
  const json = await verified(headersOf(now - 400), { args: ['--json'] })
  expect([json.code, JSON.parse(json.out)]).toEqual([1, { valid: false, reason: 'too_old', id: 'evt_1' }])
})

test('what is missing for that is a mistake of the command line, and the secret is not shown', async () => {
  const now = Math.floor(Date.now() / 1_000)
  const mistakes: [Awaited<ReturnType<typeof verified>>, string][] = [
    [await verified('webhook-id: evt_1'), 'the headers webhook-timestamp, webhook-signature are missing'],
    [await verified(headersOf(now), { secrets: 'whsec_short' }), 'the secret must be whsec_'],
    [await verified(headersOf(now), { args: ['--secret-file', join(folder, 'received')] }), 'are both given'],
    [await verified(headersOf(now), { args: [join(folder, 'nowhere')] }), 'cannot be read (ENOENT)'],
  ]
  for (const [{ code, err }, words] of mistakes) {
    expect([code, err]).toEqual([2, expect.stringContaining(words)])
    expect(err).not.toContain('whsec_short')
  }
})
