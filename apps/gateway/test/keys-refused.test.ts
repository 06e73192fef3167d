/** Where keys are not looked after: while nobody is asked for one, and while PostgreSQL is away. */
import { expect, test } from 'vitest'
import { createGateway, nowhere, problemIn } from './gateway.ts'
import { bearer } from './own-keys.ts'
import { madeUp } from './retyped.ts'
import { serveGateway } from './served-gateway.ts'

test.each(['off', 'off-on-purpose'] as const)('with auth %s nobody can leave a key behind', async (auth) => {
  await using gateway = createGateway({ ...nowhere, auth })
  const id = 'aaaaaaaaaaaa'
  for (const [method, path] of [
    ['POST', '/keys'],
    ['POST', `/keys/${id}/rotate`],
    ['DELETE', `/keys/${id}`],
  ]) {
    const answer = await gateway.app.request(String(path), { method: String(method) })
    expect(await problemIn(answer)).toMatchObject({ status: 409, code: 'auth_off' })
  }
})

test('without PostgreSQL keys are neither made nor shown', async () => {
  await using gateway = await serveGateway({ ...nowhere, auth: 'keys' })
  for (const path of ['/keys', '/keys/aaaaaaaaaaaa', '/audit']) {
    const answer = await fetch(gateway.url + path, { headers: bearer(madeUp()) })
    expect(await problemIn(answer)).toMatchObject({ code: 'store_unavailable' })
  }
})
