import { isProjection, validate } from '@sekali/projection/validate'

const fields = new Set(['name', 'version', 'topics', 'initial', 'apply', 'key', 'onError'])
/** So many of the fields, and an object is meant as a projection. */
const fieldsMin = 2

/** Says of an object that is meant as a projection, and is none, what it lacks; undefined if no export is one. */
export function nearMiss(exported: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, value] of Object.entries(exported)) {
    if (typeof value !== 'object' || value === null || isProjection(value)) continue
    const names = Object.keys(value)
    if (names.filter((one) => fields.has(one)).length < fieldsMin) continue
    const unknown = names.filter((one) => !fields.has(one))
    const more = unknown.length === 0 ? '' : `; a projection has no field ${unknown.join(', ')}`
    return `it exports ${name}, but that is no projection: ${complaint(value)}${more}`
  }
  return undefined
}

function complaint(value: object): string {
  try {
    validate(value)
    return 'it is not an object of its own'
  } catch (error) {
    return (error as Error).message
  }
}
