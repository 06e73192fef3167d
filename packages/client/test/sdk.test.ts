import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import * as errors from '../src/errors.ts'
import { createOperator } from '../src/operate.ts'
import * as sdk from '../src/sdk.ts'
import { createWorker, LeaseLost } from '../src/work.ts'

const read = (file: string) => readFile(new URL(`../src/${file}`, import.meta.url), 'utf8')

test('the package offers every error', () => {
  expect(Object.keys(sdk)).toEqual(expect.arrayContaining(Object.keys(errors)))
})

test('the page of the SDK names every method of a client, a batcher and an operator', async () => {
  const page = await read('../../../docs/typescript.md')
  const client = sdk.createClient({ baseUrl: 'http://127.0.0.1:9' })
  const operator = createOperator({ baseUrl: 'http://127.0.0.1:9' })
  const methods = [client, client.batcher(), operator].flatMap((one) => Object.keys(one))
  expect(methods.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([])
})

test('the package offers every type of its answers and errors', async () => {
  const [answers, failures, offered] = await Promise.all(['answers.ts', 'errors.ts', 'sdk.ts'].map(read))
  const exported = [...`${answers}${failures}`.matchAll(/^export (?:interface|type|class) (\w+)/gm)]
  expect(exported.length).toBeGreaterThan(30)
  const names = new Set(offered?.match(/\b\w+\b/g))
  expect(exported.map(([, name = '']) => name).filter((name) => !names.has(name))).toEqual([])
})

test('the package offers every type that its client takes or gives', async () => {
  const [client, offered] = await Promise.all([read('client.ts'), read('sdk.ts')])
  const ofClient = client.slice(0, client.indexOf('export function createClient'))
  const named = new Set(ofClient.replaceAll(/\/\*\*.*?\*\//gs, '').match(/\b[A-Z]\w+\b/g))
  const ofLanguage = ['AsyncGenerator', 'AsyncIterable', 'Iterable', 'Promise', 'Payload', 'State']
  const ours = [...named].filter((name) => !ofLanguage.includes(name) && name !== 'Connection')
  expect(ours.length).toBeGreaterThan(25)
  const names = new Set(offered.match(/\b\w+\b/g))
  expect(ours.filter((name) => !names.has(name))).toEqual([])
})

test('the door for operators offers every type that an operator takes or gives', async () => {
  const files = ['operate.ts', 'operate/letter.ts', 'operate/operations.ts', 'operate/subscription.ts'].map(
    read,
  )
  const [offered = '', ...types] = await Promise.all(files)
  const exported = [...types.join('').matchAll(/^export (?:interface|type) (\w+)/gm)]
  expect(exported.length).toBeGreaterThan(10)
  const names = new Set(offered.match(/\b\w+\b/g))
  expect(exported.map(([, name = '']) => name).filter((name) => !names.has(name))).toEqual([])
})

test('the door for workers is a client that works, with every type that this takes or gives', async () => {
  const worker = createWorker({ baseUrl: 'http://127.0.0.1:9' })
  const client = sdk.createClient({ baseUrl: 'http://127.0.0.1:9' })
  expect(Object.keys(worker).sort()).toEqual([...Object.keys(client), 'work'].sort())
  expect(new LeaseLost('')).toBeInstanceOf(sdk.SekaliError)
  const [types = '', offered = '', page = ''] = await Promise.all(
    ['worker/worker.ts', 'work.ts', '../../../docs/subscriptions.md'].map(read),
  )
  const exported = [...types.matchAll(/^export (?:interface|type|function) (\w+)/gm)]
  expect(exported.length).toBeGreaterThan(3)
  const names = new Set(offered.match(/\b\w+\b/g))
  expect(exported.map(([, name = '']) => name).filter((name) => !names.has(name))).toEqual([])
  for (const name of ['createWorker', 'work', 'ack', 'nak', 'term', 'release', 'concurrency', 'onFailure'])
    expect(page).toMatch(new RegExp(`\\b${name}\\b`))
})
