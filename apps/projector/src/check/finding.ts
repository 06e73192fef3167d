export interface CheckRequest {
  /** Files of definitions, and folders of them; absolute paths. */
  readonly paths: readonly string[]
  /** Lines of events, as `sekali replay` writes them. */
  readonly events?: string
}

export type Finding =
  | {
      readonly found: 'definition'
      readonly file: string
      readonly name: string
      readonly version: number
      readonly topics: readonly string[]
      readonly keyed: boolean
    }
  | { readonly found: 'problem'; readonly file: string; readonly line?: number; readonly message: string }
  | { readonly found: 'events'; readonly count: number }
  | { readonly found: 'state'; readonly name: string; readonly key: string; readonly state: string }
  | {
      readonly found: 'failure' | 'skipped'
      readonly name: string
      readonly topic: string
      readonly seq: number
      readonly eventId: string
      readonly message: string
      readonly count: number
    }
