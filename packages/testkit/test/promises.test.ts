import { expect, test } from 'vitest'
import { files, textOf } from './imports.ts'

/** What ARCHITECTURE.md says between a heading or sentence and the next heading. */
const architecture = textOf('ARCHITECTURE.md')
const sectionAfter = (start: string): string => architecture.split(start)[1]?.split('\n## ')[0] ?? ''

/** The items of the first numbered list in a text, by their number. */
function itemsIn(text: string): Map<number, string> {
  const [list = ''] = /^1\. (?:.+\n)+/m.exec(text) ?? []
  return new Map([...list.matchAll(/^(\d+)\. (.+(?:\n .+)*)/gm)].map(([, n, item = '']) => [Number(n), item]))
}

const promises = itemsIn(sectionAfter('\n## Promises\n'))

/** The files that ARCHITECTURE.md names for each promise. */
const named = new Map(
  [...itemsIn(sectionAfter('\n### Where each promise is tested\n'))].map(([promise, item]) => [
    promise,
    [...item.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file).sort(),
  ]),
)

/** The numbers at the end of a test's name, each as a P in brackets. */
const numbers = /(?: \[P\d+\])+(?=['"`],)/g

/** The files whose tests cite each promise. */
const citing = new Map<number, Set<string>>()
for (const file of files.filter((one) => one.endsWith('.test.ts'))) {
  for (const [cited] of textOf(file).matchAll(numbers)) {
    for (const [, number] of cited.matchAll(/P(\d+)/g)) {
      const promise = Number(number)
      citing.set(promise, (citing.get(promise) ?? new Set()).add(file))
    }
  }
}

const sorted = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b)

test('each of the nine promises has a test that cites its number', () => {
  expect([...promises.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(sorted(citing.keys())).toEqual([...promises.keys()])
})

test('ARCHITECTURE.md names the files whose tests cite a promise, and no others', () => {
  const cited = sorted(citing.keys()).map((promise) => [promise, [...(citing.get(promise) ?? [])].sort()])
  expect([...named]).toEqual(cited)
})

test('a comment cites only promises that there are', () => {
  const stray = files.flatMap((file) =>
    [...textOf(file).matchAll(/\bpromise (\d+)/gi)]
      .filter(([, number]) => !promises.has(Number(number)))
      .map(([text]) => `${file}: ${text}`),
  )
  expect(stray).toEqual([])
})
