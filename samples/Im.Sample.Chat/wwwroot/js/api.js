// The sample's own HTTP API.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function request(method, path, body, contentType = "application/json") {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: method === "GET" ? {} : { "content-type": contentType },
      body: method === "GET" ? undefined : contentType === "application/json" ? JSON.stringify(body ?? {}) : body,
      signal: AbortSignal.timeout(contentType === "application/json" ? 15_000 : 120_000),
    });
  } catch {
    throw new ApiError(0, "The server cannot be reached.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, answer?.error ?? `The server answered ${response.status}.`);
  return answer;
}

const id = encodeURIComponent;

export const api = {
  me: () => request("GET", "/api/me"),
  register: (name, displayName, password) => request("POST", "/api/register", { name, displayName, password }),
  login: (name, password) => request("POST", "/api/login", { name, password }),
  logout: () => request("POST", "/api/logout"),
  contacts: () => request("GET", "/api/contacts"),
  groups: () => request("GET", "/api/groups"),
  createGroup: (name, memberIds) => request("POST", "/api/groups", { name, memberIds }),
  addMembers: (group, userIds) => request("POST", `/api/groups/${id(group)}/members`, { userIds }),
  removeMember: (group, user) => request("DELETE", `/api/groups/${id(group)}/members/${id(user)}`),
  uploadPicture: (file) => request("POST", "/api/pictures", file, "application/octet-stream"),
};
