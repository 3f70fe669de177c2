"""Names that exist in a TypeScript cell without anybody binding them.

ECMAScript's, and of the web's those that are of use in a worker. ``name``, ``prompt``,
``location`` and the like, which a browser has, are left out: on a canvas they are
what people call their inputs.
"""

_LANGUAGE = """
AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array
Boolean DataView Date DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array
Float64Array Function Infinity Int16Array Int32Array Int8Array Intl Iterator JSON Map Math NaN Number
Object Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String
SuppressedError Symbol SyntaxError Temporal TypeError URIError Uint16Array Uint32Array Uint8Array
Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly arguments decodeURI decodeURIComponent encodeURI
encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape
"""

_WEB = """
AbortController AbortSignal Blob BroadcastChannel Buffer ByteLengthQueuingStrategy CompressionStream
CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DecompressionStream Deno Event
EventTarget File FileReader FormData Headers ImageData MessageChannel MessageEvent MessagePort
Performance QuotaExceededError ReadableStream Request Response SubtleCrypto TextDecoder
TextDecoderStream TextEncoder TextEncoderStream TransformStream URL URLPattern URLSearchParams
WebSocket Worker WritableStream atob btoa clearImmediate clearInterval clearTimeout console crypto
fetch performance process queueMicrotask reportError setImmediate setInterval setTimeout
structuredClone
"""

OWN = "spellwork"
"""What a cell says progress, logs and asks the server with."""

KNOWN = frozenset(_LANGUAGE.split()) | frozenset(_WEB.split()) | {OWN}
