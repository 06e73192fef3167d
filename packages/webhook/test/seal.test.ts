/** What is sealed is read with the same key for the same thing, and not otherwise. */

import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ownFolder } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { checkHeaders } from '../src/headers.ts'
import { makeKeyFile, parseKey } from '../src/key.ts'
import { headersContext, SealedElsewhere, seal, secretContext, tagOf, unseal } from '../src/seal.ts'

const key = parseKey(randomBytes(32).toString('base64'))

test('a sealed text comes back, and is another one each time', () => {
  const context = secretContext('mailer')
  const [one, two] = [seal(key, 'whsec_ä', context), seal(key, 'whsec_ä', context)]
  expect(unseal(key, one, context)).toBe('whsec_ä')
  expect(one.equals(two)).toBe(false)
  expect(one.includes('whsec')).toBe(false)
})

test('another key, another subscription, another kind and a changed byte open nothing', () => {
  const sealed = seal(key, 'secret', secretContext('mailer'))
  const other = parseKey(randomBytes(32).toString('hex'))
  expect(() => unseal(other, sealed, secretContext('mailer'))).toThrow(SealedElsewhere)
  expect(() => unseal(key, sealed, secretContext('other'))).toThrow(SealedElsewhere)
  expect(() => unseal(key, sealed, headersContext('mailer'))).toThrow(SealedElsewhere)
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => unseal(key, changed, secretContext('mailer'))).toThrow(SealedElsewhere)
  }
  expect(() => unseal(key, Buffer.alloc(3), secretContext('mailer'))).toThrow(SealedElsewhere)
})

test('a tag is the same for the same text and key alone', () => {
  const other = parseKey(randomBytes(32).toString('hex'))
  expect(tagOf(key, 'a').equals(tagOf(key, 'a'))).toBe(true)
  expect(tagOf(key, 'a').equals(tagOf(key, 'b'))).toBe(false)
  expect(tagOf(key, 'a').equals(tagOf(other, 'a'))).toBe(false)
})

test.each([
  undefined,
  '',
  'short',
  randomBytes(31).toString('base64'),
  'g'.repeat(64),
  `${'A'.repeat(43)}=\n`,
])('%j is no key, and the error says how to make one', (text) => {
  expect(() => parseKey(text)).toThrow(/WEBHOOK_KEY.*openssl rand -base64 32/)
})

test('a key file is its owner’s alone, and one that is there stays', async () => {
  await using folder = await ownFolder()
  const path = join(folder.path, 'webhook-key')
  await makeKeyFile(path)
  const text = await readFile(path, 'utf8')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(parseKey(text.trim())).toHaveLength(32)
  await makeKeyFile(path)
  expect(await readFile(path, 'utf8')).toBe(text)
})

test('headers that are ours, smuggle a request or are too many are refused', () => {
  expect(checkHeaders({ Authorization: 'Bearer x', 'X-Tenant': 'a b' })).toBeUndefined()
  const refused = ['Host', 'connection', 'Transfer-Encoding', 'content-length', 'Content-Type', 'webhook-id']
  for (const name of [
    ...refused,
    'sekali-seq',
    'Proxy-Authorization',
    'te',
    'upgrade',
    'a b',
    '',
    'ä',
    'x:y',
  ]) {
    expect(checkHeaders({ [name]: 'x' })).toMatchObject({ name })
  }
  for (const value of ['a\r\nx: y', 'a\nb', '\0', 'ä', 'x'.repeat(1_025)]) {
    expect(checkHeaders({ 'x-a': value })).toMatchObject({ name: 'x-a' })
  }
  expect(checkHeaders({ 'x-a': '1', 'X-A': '2' })).toMatchObject({ name: 'X-A' })
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`x-${n}`, '']))
  expect(checkHeaders(many)).toMatchObject({ name: '' })
})
