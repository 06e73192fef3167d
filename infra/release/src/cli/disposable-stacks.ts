/**
 * `DisposableStack`, `AsyncDisposableStack` and `SuppressedError` for Node 22, which lacks them: as much of them as our code
 * uses. Where Node has its own, these are its own. The bundler puts them in the place of the global names.
 */

type Dispose = () => unknown

class OurDisposableStack {
  #disposals: Dispose[] = []

  use<T extends Disposable | null | undefined>(value: T): T {
    if (value) this.#disposals.push(() => value[Symbol.dispose]())
    return value
  }

  /** A new stack with all that this one had; this one is empty then. */
  move(): OurDisposableStack {
    const moved = new OurDisposableStack()
    moved.#disposals = this.#disposals.splice(0)
    return moved
  }

  /** In the opposite order, all of them even when one throws; then throws the first error. */
  [Symbol.dispose](): void {
    const errors: unknown[] = []
    for (const dispose of this.#disposals.splice(0).reverse()) {
      try {
        dispose()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  dispose(): void {
    this[Symbol.dispose]()
  }
}

class OurAsyncDisposableStack {
  #disposals: Dispose[] = []

  use<T extends AsyncDisposable | Disposable | null | undefined>(value: T): T {
    if (value) this.#disposals.push(() => disposeOf(value))
    return value
  }

  /** A new stack with all that this one had; this one is empty then. */
  move(): OurAsyncDisposableStack {
    const moved = new OurAsyncDisposableStack()
    moved.#disposals = this.#disposals.splice(0)
    return moved
  }

  /** In the opposite order, one after the other, all of them even when one rejects; then rejects with the first error. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = []
    for (const dispose of this.#disposals.splice(0).reverse()) {
      try {
        await dispose()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  async disposeAsync(): Promise<void> {
    await this[Symbol.asyncDispose]()
  }
}

const disposeOf = (value: AsyncDisposable | Disposable): unknown =>
  Symbol.asyncDispose in value ? value[Symbol.asyncDispose]() : value[Symbol.dispose]()

/** What `using`, as the bundler writes it, throws when a disposal fails after the block has. */
class OurSuppressedError extends Error {
  readonly error: unknown
  readonly suppressed: unknown

  constructor(error: unknown, suppressed: unknown, message?: string) {
    super(message)
    this.name = 'SuppressedError'
    this.error = error
    this.suppressed = suppressed
  }
}

const nodes = globalThis as {
  DisposableStack?: unknown
  AsyncDisposableStack?: unknown
  SuppressedError?: unknown
}

export const DisposableStack = nodes.DisposableStack ?? OurDisposableStack
export const AsyncDisposableStack = nodes.AsyncDisposableStack ?? OurAsyncDisposableStack
export const SuppressedError = nodes.SuppressedError ?? OurSuppressedError
