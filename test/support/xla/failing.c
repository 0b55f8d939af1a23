// A PJRT plugin that passes every call on to another plugin, and fails when it is told to:
//
//   FAILING_AT     the run of an executable, counted in the process from 1, that fails
//   FAILING_HOW    memory: this run finds no memory. late: the same, said by its event. driver: the same, said by a library
//                  below as a fault of its own. lost: nothing works from then on.
//   FAILING_ONCE   a file; without it nothing fails, and the failure removes it
//
// REAL, where the functions begin (CALLS) and which is which (AT_...) are defined by who compiles this: failing.ts.
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void *(*Call)(void *);
typedef struct { uint64_t size; char head[CALLS - 8]; Call calls[512]; } Api;
typedef struct { uint64_t size; void *extensions; } Header;
typedef struct { Header header; void *error; const char *message; uint64_t length; } MessageArgs;
typedef struct { Header header; void *error; int code; } CodeArgs;
typedef struct { Header header; void *error; } DestroyArgs;

static const Api *real;
static Api mine;
static int runs, is_lost, is_late;
typedef struct { int code; const char *message; } Failure;
static Failure memory = {8, "Out of memory allocating 1073741824 bytes."},
    driver = {13, "hipMalloc: hipErrorOutOfMemory"},
    lost = {13, "CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure"};

static int fails_now(void) {
  const char *at = getenv("FAILING_AT"), *once = getenv("FAILING_ONCE");
  if (!at || ++runs != atoi(at)) return 0;
  return !once || unlink(once) == 0;
}

static int is_ours(void *error) { return error == &memory || error == &driver || error == &lost; }

static void *message(void *args) {
  MessageArgs *a = args;
  if (!is_ours(a->error)) return real->calls[AT_Error_Message](args);
  a->message = ((Failure *)a->error)->message;
  a->length = strlen(a->message);
  return 0;
}

static void *code(void *args) {
  CodeArgs *a = args;
  if (!is_ours(a->error)) return real->calls[AT_Error_GetCode](args);
  a->code = ((Failure *)a->error)->code;
  return 0;
}

static void *destroy_error(void *args) {
  return is_ours(((DestroyArgs *)args)->error) ? 0 : real->calls[AT_Error_Destroy](args);
}

static void *execute(void *args) {
  if (fails_now()) {
    const char *how = getenv("FAILING_HOW");
    if (how && !strcmp(how, "lost")) is_lost = 1;
    else if (how && !strcmp(how, "late")) is_late = 1;
    else return how && !strcmp(how, "driver") ? &driver : &memory;
  }
  return is_lost ? &lost : real->calls[AT_LoadedExecutable_Execute](args);
}

static void *await(void *args) {
  if (is_lost) return &lost;
  void *error = real->calls[AT_Event_Await](args);
  if (!is_late) return error;
  is_late = 0;
  return &memory;
}

static void *upload(void *args) { return is_lost ? &lost : real->calls[AT_Client_BufferFromHostBuffer](args); }
static void *download(void *args) { return is_lost ? &lost : real->calls[AT_Buffer_ToHostBuffer](args); }
static void *destroy_buffer(void *args) {
  void *error = real->calls[AT_Buffer_Destroy](args);
  return is_lost ? &lost : error;
}

const void *GetPjrtApi(void) {
  if (!real) {
    void *library = dlopen(REAL, RTLD_NOW | RTLD_LOCAL);
    if (!library) return 0;
    real = ((const Api *(*)(void))dlsym(library, "GetPjrtApi"))();
    memcpy(&mine, real, real->size < sizeof mine ? real->size : sizeof mine);
    mine.calls[AT_Error_Message] = message;
    mine.calls[AT_Error_GetCode] = code;
    mine.calls[AT_Error_Destroy] = destroy_error;
    mine.calls[AT_LoadedExecutable_Execute] = execute;
    mine.calls[AT_Event_Await] = await;
    mine.calls[AT_Client_BufferFromHostBuffer] = upload;
    mine.calls[AT_Buffer_ToHostBuffer] = download;
    mine.calls[AT_Buffer_Destroy] = destroy_buffer;
  }
  return &mine;
}
