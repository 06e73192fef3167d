/** The description of the API, made ready for looking up what an answer must be like. */
import { createDocument, type OpenApi } from '@sekali/api/openapi'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

/** A value of JSON, of which we look into objects. */
interface Json {
  readonly [name: string]: Json | undefined
}

/** What the description says of the answers of one status. */
export interface DescribedResponse {
  /** Names in lower case, and whether the header always comes. */
  readonly headers: ReadonlyMap<string, boolean>
  readonly mediaTypes: readonly string[]
  /** Checks a body of this media type, or a line or an event of it. */
  validatorOf(mediaType: string): ValidateFunction
}

interface DescribedOperation {
  readonly id: string
  response(status: number): DescribedResponse | undefined
}

export interface Described {
  /** The operation of a request, if it has one. HEAD is that of GET. */
  operation(method: string, path: string): DescribedOperation | undefined
  /** Checks any problem at all. */
  readonly problem: ValidateFunction
}

const name = 'api'

export function readDescription(): Described {
  const document = strict(createDocument('0')) as OpenApi
  // It is not validated itself, which takes longer than all the rest: redocly does that.
  const ajv = new Ajv2020({ strict: false, meta: false, validateSchema: false, validateFormats: false })
  ajv.addSchema(document, name)
  const validators = new Map<string, ValidateFunction>()
  const validator = (pointer: string): ValidateFunction => {
    const known = validators.get(pointer) ?? ajv.compile({ $ref: `${name}#${pointer}` })
    validators.set(pointer, known)
    return known
  }
  const paths = Object.entries(document.paths).map(([template, operations]) => ({
    matches: new RegExp(`^${template.replace(/\{(\w+)\}/g, (_, one) => (one === 'key' ? '.+' : '[^/]+'))}$`),
    pointer: `/paths/${escaped(template)}`,
    operations: operations as unknown as Readonly<Record<string, Json>>,
  }))

  function responseAt(pointer: string): DescribedResponse {
    const at = referred(document, pointer)
    const { headers = {}, content = {} } = valueAt(document, at)
    return {
      headers: new Map(
        Object.keys(headers).map((header) => [
          header.toLowerCase(),
          valueAt(document, referred(document, `${at}/headers/${header}`)).required !== undefined,
        ]),
      ),
      mediaTypes: Object.keys(content),
      validatorOf(mediaType) {
        const schema =
          mediaType.endsWith('json') && mediaType !== 'application/x-ndjson'
            ? 'schema'
            : 'x-sekali-item-schema'
        return validator(`${at}/content/${escaped(mediaType)}/${schema}`)
      },
    }
  }

  return {
    operation(method, path) {
      const wanted = (method === 'HEAD' ? 'GET' : method).toLowerCase()
      const found = paths.find(
        ({ matches, operations }) => matches.test(path) && Object.hasOwn(operations, wanted),
      )
      const operation = found?.operations[wanted]
      if (found === undefined || operation === undefined) return undefined
      const { operationId, responses = {} } = operation
      return {
        id: String(operationId),
        response: (status) =>
          Object.hasOwn(responses, status)
            ? responseAt(`${found.pointer}/${wanted}/responses/${status}`)
            : undefined,
      }
    },
    problem: validator('/components/schemas/Problem'),
  }
}

const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

const valueAt = (document: OpenApi, pointer: string): Json =>
  pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<Json>((value, key) => value[key] as Json, document as unknown as Json)

/** Where a thing is that may be elsewhere. */
function referred(document: OpenApi, pointer: string): string {
  const { $ref } = valueAt(document, pointer)
  return $ref === undefined ? pointer : String($ref).slice(1)
}

/**
 * A client must take fields that it does not know, so that there can be new ones. What we answer ourselves has none that
 * are not described. What narrows another schema down (`allOf`) stays as it is.
 */
function strict(value: unknown, isNarrowing = false): unknown {
  if (Array.isArray(value)) return value.map((one) => strict(one, isNarrowing))
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, strict(one, key === 'allOf')]),
  )
  const isClosed = copy.type === 'object' && copy.properties !== undefined && !isNarrowing
  return isClosed ? { additionalProperties: false, ...copy } : copy
}
