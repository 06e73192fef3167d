/** What is wrong with a file of definitions, in the words of the projector and of `sekali projection check` alike. */
import { basename } from 'node:path'
import type { Source } from '../confined/source.ts'
import type { LoadedDefinition } from './held-process.ts'

export const exportsNone = 'it exports no projection; write: export const name = defineProjection({ … })'

/** The definitions whose names are free, and what is wrong with the others. `taken` says whose each name is, and grows. */
export function takeNames(
  definitions: readonly LoadedDefinition[],
  taken: Map<string, Source>,
): { readonly free: readonly LoadedDefinition[]; readonly problem: string | undefined } {
  const problems: string[] = []
  const free = definitions.filter(({ name, source }) => {
    const owner = taken.get(name)
    if (owner === undefined) taken.set(name, source)
    else problems.push(takenWords(name, owner))
    return owner === undefined
  })
  return { free, problem: problems.length === 0 ? undefined : problems.join('; ') }
}

const takenWords = (name: string, { file }: Source): string =>
  file === undefined
    ? `${name} is built in; give this one another name`
    : `there is a projection ${name} already, in ${basename(file)}; give this one another name`
