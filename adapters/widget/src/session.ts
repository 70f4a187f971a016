/** What this browser remembers of a conversation. */
export interface Remembered {
  session: string
  token: string
  /** Numbers of entries begin anew when this changes. */
  epoch: string
  /** A reply was under way when this was written. */
  pending: boolean
  /** The number of the last entry that was taken, and of the last that was seen. */
  taken: number
  seen: number
  /** The id to say `start` with; empty once that was said. */
  start: string
}

/** Keeps it in localStorage, or in memory where a browser does not allow that. */
export class Vault {
  /** Of a person whom the site has named, apart from what somebody unknown said. */
  named = false
  #memory: Remembered | null = null
  #refused = false

  constructor(private readonly server: string) {}

  get #key(): string {
    return `botkit ${this.server}${this.named ? ' named' : ''}`
  }

  read(): Remembered | null {
    if (this.#refused) return this.#memory
    try {
      const text = localStorage.getItem(this.#key)
      return text ? sound(JSON.parse(text)) : null
    } catch {
      return this.#memory
    }
  }

  write(value: Remembered): void {
    this.#memory = value
    try {
      localStorage.setItem(this.#key, JSON.stringify(value))
    } catch {
      this.#refused = true
    }
  }

  forget(): void {
    this.#memory = null
    try {
      localStorage.removeItem(this.#key)
    } catch {
      // Memory had it.
    }
  }

  /** Calls back when another tab has written. */
  watch(changed: () => void): void {
    addEventListener('storage', (event) => {
      if (event.key === this.#key || event.key === null) changed()
    })
  }
}

/** What can be what was written; a header takes no other token. */
function sound(value: unknown): Remembered | null {
  const all = value as Remembered | null
  const texts = [all?.session, all?.token, all?.epoch, all?.start]
  const whole =
    texts.every((one) => typeof one === 'string' && /^[ -~]*$/.test(one)) &&
    [all?.taken, all?.seen].every(Number.isFinite) &&
    all?.session &&
    all.token
  return whole ? all : null
}

/** A random id, also where crypto.randomUUID is missing: on pages without HTTPS. */
export function uuid(): string {
  if (crypto.randomUUID) return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
