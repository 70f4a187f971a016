import type { FileInfo, OutgoingBody, Page, RatingValue, SessionAnswer } from './protocol'

/** The server said no. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds to wait; 0 where the server does not say. */
    readonly retryAfter: number,
    readonly limit: number,
    readonly allowed: readonly string[],
  ) {
    super(message)
  }
}

/** No answer came. */
export class Unreachable extends Error {}

/** Whether the same may work later. */
export function passing(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Refusal && (error.status === 408 || error.status === 429 || error.status >= 500))
}

/** Whether our own server refuses, for as long as the page is what it is; another's answer may be gone soon. */
export function final(error: unknown): boolean {
  return error instanceof Refusal && (error.code === 'origin_not_allowed' || error.code === 'invalid_identity')
}

/** Whether another session is needed. */
export function outdated(error: unknown): boolean {
  return error instanceof Refusal && (error.status === 401 || error.code === 'other_session')
}

const PATIENCE = 30_000
const UPLOAD_PATIENCE = 180_000
/** Browsers refuse larger bodies that are to outlive their page. */
const KEEPALIVE_BYTES = 16_000

/** One method per route; each throws Refusal or Unreachable. */
export class Api {
  constructor(
    /** With a slash at its end. */
    readonly server: string,
  ) {}

  begin(body: { locale: string; timezone: string; identity?: string }, token?: string): Promise<SessionAnswer> {
    return this.#json('POST', 'web/sessions', token, body)
  }

  send(token: string, body: OutgoingBody): Promise<{ id: string; seq: number }> {
    return this.#json('POST', 'web/messages', token, body)
  }

  rate(token: string, body: { message: string; value: RatingValue; comment: string }): Promise<unknown> {
    return this.#json('POST', 'web/feedback', token, body)
  }

  earlier(token: string, before: number): Promise<Page> {
    return this.#json('GET', `web/messages?before=${before}&limit=50`, token)
  }

  async upload(token: string, file: File): Promise<FileInfo> {
    const response = await this.#fetch(`web/files?name=${encodeURIComponent(file.name)}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': file.type || 'application/octet-stream' },
      body: file,
      signal: AbortSignal.timeout(UPLOAD_PATIENCE),
    })
    return (await response.json()) as FileInfo
  }

  stream(token: string, session: string, lastId: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
    if (lastId) headers['last-event-id'] = lastId
    return this.#fetch(`web/stream?session=${encodeURIComponent(session)}`, { headers, signal })
  }

  /** Whether the server can be reached by a request that no origin is refused. */
  async there(): Promise<boolean> {
    try {
      await fetch(`${this.server}widget.js`, { method: 'HEAD', mode: 'no-cors', cache: 'no-store' })
      return true
    } catch {
      return false
    }
  }

  /** The address of a file, or null when it would lead to another host. */
  address(url: string): string | null {
    try {
      const address = new URL(url.startsWith('/') ? `.${url}` : url, this.server)
      return address.origin === new URL(this.server).origin ? address.href : null
    } catch {
      return null
    }
  }

  async #json<T>(method: string, path: string, token?: string, body?: object): Promise<T> {
    const headers: Record<string, string> = {}
    if (token) headers['authorization'] = `Bearer ${token}`
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(PATIENCE) }
    if (body) {
      headers['content-type'] = 'application/json'
      init.body = JSON.stringify(body)
      init.keepalive = init.body.length < KEEPALIVE_BYTES
    }
    const response = await this.#fetch(path, init)
    try {
      return (await response.json()) as T
    } catch (error) {
      throw new Unreachable(String(error))
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    let response: Response
    try {
      response = await fetch(this.server + path, { ...init, credentials: 'omit', cache: 'no-store' })
    } catch (error) {
      throw new Unreachable(String(error))
    }
    if (response.ok) return response
    throw await refusal(response)
  }
}

async function refusal(response: Response): Promise<Refusal> {
  let said: { message?: string; code?: string; limit?: number; allowed?: string[] } = {}
  try {
    said = ((await response.json()) as { error?: typeof said }).error ?? {}
  } catch {
    // A proxy in between answers with a page of its own.
  }
  return new Refusal(
    response.status,
    said.code ?? '',
    said.message ?? '',
    Number(response.headers.get('retry-after')) || 0,
    said.limit ?? 0,
    said.allowed ?? [],
  )
}
