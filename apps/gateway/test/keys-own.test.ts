/** What is within a key's own: which others it sees, for how long it gives, and what it does once it has ended. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { problemIn } from './gateway.ts'
import { nextOf } from './links.ts'
import { type KeyedGateway, serveWithKeys } from './with-keys.ts'

let system: KeyedGateway
beforeAll(async () => {
  system = await serveWithKeys()
})
afterAll(() => system[Symbol.asyncDispose]())

const shop = { name: 'shop', scopes: ['publish'], topics: ['orders.>'] }
const team = { name: 'team', scopes: ['admin', 'publish'], topics: ['orders.>'] }
const at = (ms: number) => new Date(Date.now() + ms).toISOString()
const idsIn = async (answer: Response) => ((await answer.json()) as { id: string }[]).map(({ id }) => id)

test('a key that is revoked makes, rotates and revokes nothing from then on', async () => {
  for (let round = 0; round < 4; round++) {
    const [admin, other] = [await system.make(team), await system.make()]
    expect((await system.send(admin.key, 'GET', '/keys')).status).toBe(200)
    expect((await system.send(system.first, 'DELETE', `/keys/${admin.id}`)).status).toBe(200)
    const late = await Promise.all([
      system.send(admin.key, 'POST', '/keys', shop),
      system.send(admin.key, 'POST', `/keys/${other.id}/rotate`, { old_expires_in_seconds: 0 }),
      system.send(admin.key, 'DELETE', `/keys/${other.id}`),
    ])
    for (const answer of late) {
      expect(answer.headers.get('www-authenticate')).toContain('invalid_token')
      expect(await problemIn(answer)).toMatchObject({ status: 401, code: 'unauthorized' })
    }
  }
})

test('an administrator who reads may give the scope work, as may a key of before there was one', async () => {
  const statusWith = async (scopes: readonly string[]) => {
    const { key } = await system.make({ scopes })
    return (await system.send(key, 'POST', '/keys', { ...shop, scopes: ['work'] })).status
  }
  expect(await statusWith(['publish', 'read', 'admin'])).toBe(201)
  expect(await statusWith(['work', 'admin'])).toBe(201)
  expect(await statusWith(['publish', 'admin'])).toBe(403)
})

test('a key that expires makes none that lives longer', async () => {
  const expires_at = at(3_600_000)
  const admin = await system.make({ ...team, expires_at })
  const longer = await system.make({ ...shop, expires_at: at(7_200_000) })
  for (const [path, body] of [
    ['/keys', shop],
    ['/keys', { ...shop, expires_at: at(7_200_000) }],
    [`/keys/${longer.id}/rotate`, { old_expires_in_seconds: 0 }],
  ] as const) {
    const refused = await problemIn(await system.send(admin.key, 'POST', path, body))
    expect(refused).toMatchObject({ status: 403, code: 'forbidden' })
    expect(refused.errors).toMatchObject([{ path: 'expires_at', code: 'beyond_own_key' }])
    expect(refused.detail).toContain('no later than the end of your key')
  }
  expect((await system.send(admin.key, 'POST', '/keys', { ...shop, expires_at })).status).toBe(201)
  const rotation = { old_expires_in_seconds: 60 }
  const next = await system.send(admin.key, 'POST', `/keys/${admin.id}/rotate`, rotation)
  const { expires_at: end } = (await next.json()) as { expires_at: string }
  expect(Date.parse(end)).toBe(Date.parse(expires_at))
  // Whoever ends soon may still end others.
  expect((await system.send(admin.key, 'DELETE', `/keys/${longer.id}`)).status).toBe(200)
})

test('of a key that may do more than its own a key learns not even whether there is one', async () => {
  const admin = await system.make(team)
  const hidden = await system.make({ topics: ['secrets'] })
  const answers: object[] = []
  for (const id of [hidden.id, 'aaaaaaaaaaaa', 'nobody']) {
    for (const [method, path, body] of [
      ['GET', `/keys/${id}`, undefined],
      ['DELETE', `/keys/${id}`, undefined],
      ['POST', `/keys/${id}/rotate`, { old_expires_in_seconds: 0 }],
    ] as const) {
      const { errors, ...rest } = await problemIn(await system.send(admin.key, method, path, body))
      expect(rest).toMatchObject({ status: 403, code: 'forbidden' })
      expect(errors).toBeUndefined()
      answers.push(rest)
    }
  }
  for (const answer of answers) expect(answer).toEqual(answers[0])
  expect((await system.send(system.first, 'GET', '/keys/aaaaaaaaaaaa')).status).toBe(404)
})

test('pages are full, and lead behind none that may not be seen', async () => {
  const topics = ['pages.>']
  const admin = await system.make({ ...team, topics })
  const own = [admin.id]
  let hidden = ''
  for (let n = 0; n < 4; n++) {
    hidden = (await system.make({ topics: ['secrets'] })).id
    own.push((await system.make({ topics: [`pages.${n}`] })).id)
  }
  const pages: string[][] = []
  for (let path: string | undefined = '/keys?limit=2'; path; ) {
    const answer: Response = await system.send(admin.key, 'GET', path)
    path = nextOf(path, answer)
    expect(path ?? '').not.toContain(hidden)
    pages.push(await idsIn(answer))
  }
  expect(pages).toEqual([own.slice(0, 2), own.slice(2, 4), own.slice(4)])
  const behind = async (id: string) => {
    const { status, errors } = await problemIn(await system.send(admin.key, 'GET', `/keys?after=${id}`))
    return { status, errors }
  }
  expect(await behind(hidden)).toEqual(await behind('aaaaaaaaaaaa'))
})

test('a key in place of an id or a name is neither audited nor taken', async () => {
  const { key, id } = await system.make()
  const reader = await system.make({ scopes: ['read'] })
  const secret = String(key.split('_')[2])
  const encoded = key.replaceAll('_', '%5F')
  const asked = [
    ['DELETE', `/keys/${key}`],
    ['DELETE', `/keys/${encoded}`],
    ['DELETE', `/topics/${key}`],
    ['POST', `/projections/${encoded}/rebuild`],
    ['DELETE', `/keys/${id}`],
    ['DELETE', '/topics/orders.eu'],
  ] as const
  for (const [method, path] of asked) {
    expect((await system.send(reader.key, method, path)).status).toBe(403)
  }
  // The two keys are one target, of which one entry is enough.
  await expect.poll(async () => (await denials()).length).toBe(asked.length - 1)
  expect((await denials()).sort()).toEqual(
    [
      'DELETE /keys/:id',
      'DELETE /topics/:topic',
      'POST /projections/:name/rebuild',
      `DELETE /keys/${id}`,
      'DELETE /topics/orders.eu',
    ].sort(),
  )
  for (const field of ['name', 'source', 'topics'] as const) {
    const body = { ...shop, [field]: field === 'topics' ? [key] : key }
    const answer = await system.send(system.first, 'POST', '/keys', body)
    const text = await answer.text()
    expect([answer.status, text]).toEqual([422, expect.stringContaining('must not have a key in it')])
    expect(text).not.toContain(secret)
  }

  async function denials(): Promise<string[]> {
    const answer = await system.send(system.first, 'GET', '/audit?limit=1000')
    const entries = (await answer.json()) as { action: string; target: string; actor: string }[]
    expect(JSON.stringify(entries)).not.toContain(secret)
    return entries
      .filter(({ action, actor }) => action === 'denied' && actor === reader.id)
      .map(({ target }) => target)
  }
})
