// What happens beside a training by Model.
#pragma once

#include <nn/callbacks/best.hpp>
#include <nn/callbacks/callback.hpp>
#include <nn/callbacks/csv_log.hpp>
#include <nn/callbacks/lr_schedule.hpp>
#include <nn/callbacks/progress_bar.hpp>
#include <nn/callbacks/tensor_board.hpp>
